#!/usr/bin/env python3
"""tools/testnet.sh with programs that are built already: what it shows, and how it ends when the node does."""

import os
import re
import shutil
import signal
import subprocess
import time

from gradient_node import BIN, SOURCE, init_chain, main, run_cli, workspace

DATA_DIRECTORY, USAGE = 4, 2


class Testnet:
    """A tree with the script, these programs where it looks for them, and nothing to install or build."""

    def __init__(self, folder):
        self.root = folder / "tree"
        (self.root / "tools").mkdir(parents=True)
        shutil.copy(SOURCE / "tools/testnet.sh", self.root / "tools")
        (self.root / "build/release").mkdir(parents=True)
        (self.root / "build/release/bin").symlink_to(BIN)
        for name in ("tools/install_packages.sh", "cmake"):
            (self.root / name).write_text("#!/bin/sh\n")
            (self.root / name).chmod(0o755)
        self.dir = folder / "net"
        self.dir.mkdir()
        init_chain(folder).rename(self.dir / "chain.json")
        self.environment = dict(os.environ, PATH=f"{self.root}:{os.environ['PATH']}")

    def start(self, *options):
        return subprocess.Popen(["bash", self.root / "tools/testnet.sh", "--dir", self.dir, *options],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment)

    def run(self, *options):
        process = self.start(*options)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def node_process(self, number=1, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while not (self.dir / f"node{number}/rpc_endpoint").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return int((self.dir / f"node{number}/lock").read_text())


def watches_and_goes_on():
    with workspace() as (folder, _):
        net = Testnet(folder)
        code, out, err = net.run("--blocks", "02")
        assert code == 0, (code, out, err)
        assert len(re.findall(r"^ +\d+ +\d+ ", out, re.MULTILINE)) == 2 and "trigram" in out, out
        code, out, err = net.run("--blocks", "08")
        assert code == 0, (code, out, err)
        assert len(re.findall(r"^ +\d+ +\d+ ", out, re.MULTILINE)) == 8, out
        run_cli("verify", net.dir / "node1")


def ends_with_the_nodes_exit_code():
    with workspace() as (folder, _):
        net = Testnet(folder)
        code, _, err = net.run("--", "--lanes", "0")
        assert code == USAGE and "did not start" in err, (code, err)
        process = net.start()
        os.kill(net.node_process(), signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGKILL, (process.returncode, err)
        assert "the node " in err and "node1.log" in err, err
        (net.dir / "node1/format").write_text("99\n")
        code, _, err = net.run()
        assert code == DATA_DIRECTORY and '"99"' in err, (code, err)


def stops_in_order_on_a_signal():
    with workspace() as (folder, _):
        net = Testnet(folder)
        process = net.start()
        node = net.node_process()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and "goes on from here" in out, (out, err)
        assert not is_running(node)


def several_nodes_agree():
    with workspace() as (folder, _):
        net = Testnet(folder)
        options = ("--nodes", "3", "--blocks", "6", "--", "--threads", "1")
        code, out, err = net.run(*options)
        assert code == 0, (code, out, err)
        assert len(re.findall(r"^ +\d+ +\d+ ", out, re.MULTILINE)) == 6, out
        assert "Nodes: 3 of 3 agree on block" in out and "3 are running" in out, out
        identities = {(net.dir / f"node{number}/node.key").read_bytes() for number in (1, 2, 3)}
        assert len(identities) == 3
        code, out, err = net.run(*options)
        assert code == 0 and "Nodes: 3 of 3 agree on block" in out, (code, out, err)


def tells_of_a_node_that_dies():
    with workspace() as (folder, _):
        net = Testnet(folder)
        process = net.start("--nodes", "2", "--", "--threads", "1")
        nodes = [net.node_process(number) for number in (1, 2)]
        os.kill(nodes[1], signal.SIGKILL)
        line = ""
        while "node 2 ended" not in line:
            line = process.stderr.readline()
            assert line, "nothing was told"
        assert "node2.log" in line and is_running(nodes[0])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and "goes on from here" in out, (out, err)
        assert not is_running(nodes[0])


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main(watches_and_goes_on, ends_with_the_nodes_exit_code, stops_in_order_on_a_signal, several_nodes_agree,
         tells_of_a_node_that_dies)
