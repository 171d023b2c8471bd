#!/usr/bin/env python3
"""Proofs of accounts, tasks and models, and that a header alone is enough to check them."""

import json
import shutil

from cli_support import DATA, INVALID, USAGE, cli, start_rich_node
from gradient_node import main, one_sentence, run_cli, workspace


def check(file, *arguments, expect=0):
    """Checks a proof without a node or a data directory."""
    out, error = run_cli("--data", file.parent / "nothing", "--json", "proof", "check", file, *arguments, expect=expect)
    return json.loads(out) if expect == 0 else one_sentence(error)


def changed(file, **members):
    """A copy of a proof with other members."""
    proof = json.loads(file.read_text())
    proof.update(members)
    copy = file.with_name("changed.json")
    copy.write_text(json.dumps(proof))
    return copy


def proofs_hold_and_do_not():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        miner = cli(node, "wallet", "address", "miner")["address"]
        account, task, model = (folder / f"{name}.json" for name in ("account", "task", "model"))
        node.stop_mining()
        fetched = cli(node, "proof", "account", miner, "--out", account)
        height, tip = node.tip()
        assert fetched["block"] == tip and fetched["height"] == height, fetched
        assert fetched["exists"] and float(fetched["balance"]) > 0, fetched
        header = fetched["header"]
        cli(node, "proof", "task", "0", "--out", task)
        assert cli(node, "proof", "model", "0", "--out", model)["parameters"] > 0
        stranger = cli(node, "wallet", "new", "stranger")["address"]
        absent = folder / "absent.json"
        assert cli(node, "proof", "account", stranger, "--out", absent)["exists"] is False
        root = cli(node, "task", "show", "0")["data_root"]
        node.rpc("mine_start")
        node.wait_height(height + 1)
        other = cli(node, "proof", "account", miner, "--out", folder / "later.json")["header"]
        node.stop()
        shutil.rmtree(node.folder)  # nothing is needed from here on

        assert check(account, "--header", header, "--block-id", tip)["balance"] == fetched["balance"]
        assert check(task, "--header", header)["data_root"] == root
        assert check(model, "--header", header)["proved"] is True
        assert check(absent, "--header", header)["exists"] is False
        written = folder / "header.txt"
        written.write_text(header + "\n")
        check(account, "--header-file", written)
        written.write_bytes(bytes.fromhex(header))
        check(account, "--header-file", written)

        check(account, "--header", other, expect=INVALID)
        check(account, "--header", header, "--block-id", "00" * 32, expect=INVALID)
        check(changed(account, address=stranger), "--header", header, expect=INVALID)
        check(changed(account, entry=None), "--header", header, expect=INVALID)
        entry = json.loads(account.read_text())["entry"]
        richer = entry[:14] + ("0" if entry[14] != "0" else "1") + entry[15:]
        check(changed(account, entry=richer), "--header", header, expect=INVALID)
        check(changed(task, task=1), "--header", header, expect=INVALID)
        check(changed(task, kind="model"), "--header", header, expect=INVALID)
        check(changed(account, siblings=["x"]), "--header", header, expect=DATA)
        check(account, "--header", header[:-2], expect=USAGE)
        check(account, expect=USAGE)
        check(folder / "missing.json", "--header", header, expect=DATA)


if __name__ == "__main__":
    main(proofs_hold_and_do_not)
