#!/usr/bin/env python3
"""A snapshot goes out of one data directory and into another, whose node goes on from there; a pruned one still verifies."""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from gradient_node import Node, init_chain, one_sentence, run_cli  # noqa: E402

USAGE, CHAIN_SPEC, DATA_DIRECTORY = 2, 3, 4


def snapshot(data, *arguments, expect=0):
    out, err = run_cli("--data", data, "--json", "snapshot", *arguments, expect=expect)
    return json.loads(out) if expect == 0 else one_sentence(err)


def wait_for_height(node, height, timeout=120):
    deadline = time.monotonic() + timeout
    while node.rpc("status")["height"] < height:
        assert time.monotonic() < deadline, node.log_text()
        time.sleep(0.05)


def mine_to(folder, chain, height, *options):
    node = Node(folder, chain)
    node.start(*options)
    wait_for_height(node, height)
    node.stop()
    return node


def verify(folder):
    return json.loads(run_cli("--json", "verify", folder)[0])


def main():
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        chain = init_chain(home)
        source = mine_to(home / "source", chain, 8)
        whole = verify(home / "source")
        tip = whole["height"]

        # Of the tip: pinned by its state root, shown, imported, gone on from.
        top = home / "tip.snap"
        made = snapshot(home / "source", "export", "--out", top)
        assert made["height"] == tip and made["child"] is None, made
        assert made["state_root"] == whole["state_root"], (made, whole)
        assert made["bytes"] == top.stat().st_size
        assert snapshot(home / "source", "show", top) == made
        assert "exists" in snapshot(home / "source", "export", "--out", top, expect=USAGE)
        took = snapshot(home / "copy", "import", top, "--chain", chain, "--hash", made["state_root"])
        assert took == made, (took, made)
        checked = verify(home / "copy")
        assert checked["height"] == tip and checked["first_block"] == tip + 1, checked
        assert checked["state_root"] == whole["state_root"]
        assert checked["model_digest"] == whole["model_digest"]
        mine_to(home / "copy", chain, tip + 3)
        grown = verify(home / "copy")
        assert grown["height"] >= tip + 3 and grown["first_block"] == tip + 1, grown

        # Of a buried block: pinned by the id of the next one.
        low = home / "low.snap"
        made = snapshot(home / "source", "export", "--out", low, "--height", tip - 2)
        assert made["height"] == tip - 2
        took = snapshot(home / "buried", "import", low, "--chain", chain, "--hash", made["child"])
        assert took["state_root"] == made["state_root"]
        assert verify(home / "buried")["height"] == tip - 2

        # What is refused, and with which code.
        new = home / "new"
        arguments = ("import", low, "--chain", chain, "--hash")
        assert "64 hexadecimal" in snapshot(new, *arguments, "abc", expect=USAGE)
        assert "pinned" in snapshot(new, *arguments, "00" * 32, expect=USAGE)
        assert "does not commit" in snapshot(new, *arguments, made["block"], expect=USAGE)
        assert "already" in snapshot(home / "buried", *arguments, made["child"], expect=DATA_DIRECTORY)
        bad = home / "bad.snap"
        bad.write_bytes(low.read_bytes()[:-1])
        assert "ends before" in snapshot(new, "import", bad, "--chain", chain, "--hash", made["child"], expect=CHAIN_SPEC)
        assert "ends before" in snapshot(new, "show", bad, expect=CHAIN_SPEC)
        damaged = bytearray(low.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        bad.write_bytes(damaged)
        assert "damaged" in snapshot(new, "import", bad, "--chain", chain, "--hash", made["child"], expect=CHAIN_SPEC)
        assert "Cannot read" in snapshot(new, "show", home / "none.snap", expect=CHAIN_SPEC)
        other = init_chain(home, name="other.json", seed=2)
        refused = snapshot(home / "other", "import", low, "--chain", other, "--hash", made["child"], expect=CHAIN_SPEC)
        assert "another network" in refused, refused
        assert "above the tip" in snapshot(home / "source", "export", "--out", home / "x", "--height", 10**6, expect=USAGE)
        assert not (home / "x").exists() and not (home / "x.part").exists()
        # A refusal leaves a directory into which the right one goes.
        snapshot(new, "import", low, "--chain", chain, "--hash", made["child"])

        # A node that prunes: the chain spec of this network has the default maturity of 100, so that blocks above that go.
        node = Node(home / "pruned", chain)
        node.start("--prune", "1", "--lanes", "2")
        wait_for_height(node, 128, timeout=400)
        node.stop()
        report = verify(home / "pruned")
        assert report["valid"] and report["first_header"] == 0, report
        assert 1 < report["first_block"] <= report["height"] - 119, report
        text, _ = run_cli("verify", home / "pruned")
        assert "bodies are gone" in text, text
        refused = run_cli("--data", home / "pruned", "snapshot", "export", "--out", home / "y", "--height", 1, expect=1)[1]
        assert "pruned" in one_sentence(refused)
    assert source.process is None


if __name__ == "__main__":
    main()
