"""What the scripts about wallets, tasks and proofs share: a node whose pay matures at once, and its miner's coins."""

import json
import os
import struct
import time

from gradient_node import TINY, init_chain, run_cli

PASSPHRASE = "correct horse"
FAILURE, USAGE, DATA, INVALID = 1, 2, 3, 7


def short_maturity(chain, blocks=3):
    """Lets pay be spent after a few blocks."""
    spec = json.loads(chain.read_text())
    spec["params"]["maturity_blocks"] = blocks
    chain.write_text(json.dumps(spec))
    return chain


def start_rich_node(folder, make, arguments=()):
    """A mining node, whose miner's key is in the wallet as `miner` and has coins to spend."""
    os.environ["GRADIENT_PASSPHRASE"] = PASSPHRASE
    node = make(chain=short_maturity(init_chain(folder, TINY)), arguments=arguments)
    node.start()
    cli(node, "wallet", "import", "miner")
    wait_until(lambda: balance(node, "miner") > 0)
    return node


def cli(node, *arguments, expect=0):
    """The object that a command prints, or its one line of failure."""
    out, error = run_cli("--data", node.folder, "--json", *arguments, expect=expect)
    return json.loads(out) if expect == 0 else error.strip()


def units(coins):
    """A decimal text of coins as a whole number of units; no floating point."""
    whole, _, part = coins.partition(".")
    return int(whole) * 10**8 + int(part.ljust(8, "0"))


def balance(node, name):
    return units(cli(node, "wallet", "balance", name)["balance"])


def wait_until(condition, timeout_s=120):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def write_npy(path, rows):
    """A matrix of 64-bit floats in NumPy's format, version 1.0."""
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    head += " " * (-(10 + len(head) + 1) % 64) + "\n"
    body = b"".join(struct.pack(f"<{len(row)}d", *row) for row in rows)
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + body)
    return path
