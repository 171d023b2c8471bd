#!/usr/bin/env python3
"""gradient init, model eval, model ask and verify, against a running node and offline."""

import json
import subprocess

from gradient_node import BIN, SOURCE, TINY, init_chain, main, one_sentence, run_cli, sample_text, workspace

# Eval and ask are about a model that trained a little, so a unit has a few more rows here.
SMALL = ["--rows", "32", "--batch", "4", "--steps-per-unit", "4", "--interval-ms", "200", "--unit-ms", "10",
         "--units-per-hit", "2"]


def init_reports_the_text():
    with workspace() as (folder, _):
        (folder / "a.txt").write_text(sample_text(seed=1))
        (folder / "b.txt").write_text(sample_text(seed=2))
        out, _ = run_cli("init", "--text", folder / "a.txt", folder / "b.txt", "--out", folder / "c.json", *TINY, "--json")
        report = json.loads(out)
        assert report["text_bytes"] == sum((folder / f).stat().st_size for f in ("a.txt", "b.txt")), report
        assert 20 < report["vocabulary"] < 128, report
        assert 0 < report["bigram"]["brier"] < report["unigram"]["brier"] < 1, report
        assert report["unigram"]["accuracy"] < report["bigram"]["accuracy"], report
        out, _ = run_cli("init", "--text", folder / "a.txt", "--out", folder / "d.json", *TINY)
        assert "bigram" in out, out


def eval_and_ask_give_the_same_online_and_offline():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder, SMALL))
        node.start()
        node.wait_height(5)
        node.stop_mining()
        online = json.loads(run_cli("--data", node.folder, "model", "eval", "--json")[0])
        asked = json.loads(run_cli("--data", node.folder, "model", "ask", "The ", "--seed", "7", "--json")[0])
        human, _ = run_cli("--data", node.folder, "model", "eval")
        assert "bigram" in human and "trigram" in human, human
        height, _ = node.tip()
        node.stop()
        offline = json.loads(run_cli("--data", node.folder, "model", "eval", "--json")[0])
        assert online == offline, (online, offline)
        again = json.loads(run_cli("--data", node.folder, "model", "ask", "The ", "--seed", "7", "--json")[0])
        assert asked == again, (asked, again)
        assert online["height"] == height == asked["height"]
        assert 0 < online["model"]["brier"] < 2 and 0 <= online["model"]["accuracy"] <= 1, online
        assert online["trigram"]["brier"] < online["unigram"]["brier"], online
        assert len(asked["text"]) > 0 and asked["prompt"] == "The ", asked


def verify_finds_damage():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(3)
        node.stop()
        result = node.verify("--all-units")
        assert result["valid"] is True and result["units_replayed"] > 0, result
        # Flip one byte in the middle of the largest database file.
        files = sorted((node.folder / "chain").rglob("*"), key=lambda f: f.stat().st_size if f.is_file() else 0)
        victim = files[-1]
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 0x40
        victim.write_bytes(data)
        _, error = run_cli("verify", node.folder, "--json", expect=4)
        assert str(node.folder) in one_sentence(error), error


def watch_shows_each_block():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        out, _ = run_cli("--data", node.folder, "watch", "--blocks", "3")
        lines = out.splitlines()
        heights = [int(line.split()[0]) for line in lines[2:5]]
        assert heights == list(range(heights[0], heights[0] + 3)), out
        assert "trigram" in out, out
        out, _ = run_cli("--data", node.folder, "watch", "--blocks", "2", "--json")
        blocks = [json.loads(line) for line in out.splitlines()]
        assert [b["height"] + 1 for b in blocks[:1]] == [b["height"] for b in blocks[1:2]], out
        assert "trigram" in blocks[2], out
        node.stop()


def testnet_refuses_wrong_options():
    script = SOURCE / "tools/testnet.sh"
    for options in (["--nodes", "0"], ["--blocks", "x"], ["--blocks"], ["--text"], ["--colour"]):
        done = subprocess.run(["bash", script, *options], capture_output=True, text=True, timeout=30, check=False, cwd="/")
        assert done.returncode == 2, (options, done)
        one_sentence(done.stderr)


def wrong_use():
    with workspace() as (folder, _):
        _, error = run_cli("--data", folder / "none", "status", expect=5)
        assert "No node is running" in error, error
        for command in (["frobnicate"], ["chain"], ["chain", "show"], ["model", "ask"], ["init"], ["verify"]):
            run_cli(*command, expect=2)
        out, _ = run_cli("--help")
        assert "verify" in out
        out, _ = run_cli("--version")
        assert out.startswith("gradient ")
        run_cli("verify", folder / "none", expect=4)


if __name__ == "__main__":
    main(init_reports_the_text, eval_and_ask_give_the_same_online_and_offline, verify_finds_damage,
         watch_shows_each_block, testnet_refuses_wrong_options, wrong_use)
