#!/usr/bin/env python3
"""Each failure to start or to read is one clear sentence and an exit code."""

import os
import socket
import subprocess

from gradient_node import TINY, init_chain, main, one_sentence, run_cli, sample_text, workspace

CHAIN_SPEC, DATA_DIRECTORY, NETWORK, USAGE = 3, 4, 5, 2


def directory_in_use_names_the_owner():
    with workspace() as (folder, make):
        chain = init_chain(folder)
        node = make(chain=chain)
        node.start()
        code, sentence = node.fails_to_start()
        assert code == DATA_DIRECTORY, code
        assert str(node.folder) in sentence and str(node.process.pid) in sentence and "stop" in sentence, sentence
        _, error = run_cli("verify", node.folder, expect=DATA_DIRECTORY)
        assert str(node.process.pid) in one_sentence(error)
        node.wait_height(1)  # the owner did not notice
        node.stop()


def directory_that_cannot_be_used():
    with workspace() as (folder, make):
        chain = init_chain(folder)
        (folder / "file").write_text("")
        code, sentence = make("file", chain=chain).fails_to_start()
        assert code == DATA_DIRECTORY and str(folder / "file") in sentence, sentence
        if os.geteuid() != 0:
            (folder / "closed").mkdir(mode=0)
            code, sentence = make("closed", chain=chain).fails_to_start()
            assert code == DATA_DIRECTORY, sentence
        node = make(chain=chain)
        node.start()
        node.stop()
        (node.folder / "format").write_text("99\n")
        code, sentence = node.fails_to_start()
        assert code == DATA_DIRECTORY and '"99"' in sentence, sentence


def chain_spec_missing_or_wrong():
    with workspace() as (folder, make):
        chain = init_chain(folder)
        code, sentence = make("a").fails_to_start()
        assert code == CHAIN_SPEC and "--chain" in sentence, sentence
        code, sentence = make("b", chain=folder / "none.json").fails_to_start()
        assert code == CHAIN_SPEC and "none.json" in sentence, sentence
        good = chain.read_text()
        for name, text in (("empty", ""), ("cut", good[: len(good) // 2]), ("list", "[]"), ("object", "{}"),
                           ("binary", "\0\1\2"), ("flipped", flip_text(good)), ("version", good.replace('"version"', '"v"', 1))):
            bad = folder / f"{name}.json"
            bad.write_text(text)
            code, sentence = make(f"bad_{name}", chain=bad).fails_to_start()
            assert code == CHAIN_SPEC and bad.name in sentence, (name, code, sentence)


def flip_text(spec):
    """The spec with one character of the task's text changed."""
    middle = len(spec) // 2
    other = "e" if spec[middle] != "e" else "d"
    return spec[:middle] + other + spec[middle + 1 :]


def chain_spec_of_another_network():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(1)
        node.stop()
        first = node.chain
        node.chain = init_chain(folder, name="other.json", seed=2)
        code, sentence = node.fails_to_start()
        assert code == DATA_DIRECTORY and "other.json" in sentence and str(node.folder) in sentence, sentence
        node.chain = first
        node.start("--mine", "false")
        height, tip = node.tip()
        assert height >= 1 and tip
        node.stop()


def port_in_use():
    with workspace() as (folder, make), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, sentence = make(chain=init_chain(folder)).fails_to_start("--rpc-port", str(port))
        assert code == NETWORK and str(port) in sentence, sentence


def wrong_options():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        for options in (["--lanes", "0"], ["--engine", "abacus"], ["--no-such-option"]):
            done = subprocess.run(node.command(*options), capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == USAGE, (options, done)
            assert done.stderr and "terminate" not in done.stderr, done.stderr


def text_that_cannot_be_used():
    with workspace() as (folder, _):
        out = folder / "chain.json"
        (folder / "short.txt").write_text("too short")
        (folder / "empty.txt").write_text("")
        for text in ("none.txt", "short.txt", "empty.txt"):
            _, error = run_cli("init", "--text", folder / text, "--out", out, *TINY, expect=CHAIN_SPEC)
            assert one_sentence(error)
            assert not out.exists()
        _, error = run_cli("init", "--text", folder, "--out", out, *TINY, expect=CHAIN_SPEC)
        assert "regular file" in one_sentence(error), error
        (folder / "good.txt").write_text(sample_text())
        run_cli("init", "--text", folder / "good.txt", "--out", out, *TINY)
        _, error = run_cli("init", "--text", folder / "good.txt", "--out", out, *TINY, expect=CHAIN_SPEC)
        assert "exists" in one_sentence(error), error


def killed_node_leaves_an_address_that_is_nobodys():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.kill()
        _, error = run_cli("--data", node.folder, "status", expect=NETWORK)
        assert "No node is running" in one_sentence(error), error


def reading_leaves_other_directories_alone():
    with workspace() as (folder, _):
        (folder / "photos").mkdir()
        _, error = run_cli("verify", folder / "photos", expect=DATA_DIRECTORY)
        assert "no data directory" in one_sentence(error), error
        assert not list((folder / "photos").iterdir())


def damaged_database_is_no_broken_rule():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(3)
        node.stop()
        node.start("--mine", "false")  # opening again moves the log's blocks into a table
        node.stop()
        table = max((node.folder / "chain").glob("*.ldb"), key=lambda f: f.stat().st_size)
        data = bytearray(table.read_bytes())
        for at in range(len(data) // 8, len(data), len(data) // 8):
            data[at] ^= 0x40
        table.write_bytes(data)
        for command in (["verify", node.folder], ["verify", node.folder, "--json"]):
            _, error = run_cli(*command, expect=DATA_DIRECTORY)
            one_sentence(error)


def mining_stops_and_starts():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        height = node.wait_height(1)
        run_cli("--data", node.folder, "mine", "stop")
        node.stop_mining()
        assert node.rpc("status")["mining"]["active"] is False
        height, _ = node.tip()
        run_cli("--data", node.folder, "mine", "start")
        node.wait_height(height + 1)
        node.stop()


if __name__ == "__main__":
    main(directory_in_use_names_the_owner, directory_that_cannot_be_used, chain_spec_missing_or_wrong,
         chain_spec_of_another_network, port_in_use, wrong_options, text_that_cannot_be_used,
         killed_node_leaves_an_address_that_is_nobodys, reading_leaves_other_directories_alone,
         damaged_database_is_no_broken_rule, mining_stops_and_starts)
