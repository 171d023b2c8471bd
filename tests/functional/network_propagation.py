#!/usr/bin/env python3
"""How long a new block takes to be verified by every node: twenty nodes behind slow links, two of them mining.

Usage: network_propagation.py [--nodes N] [--miners M] [--blocks K] [--interval-ms T] [--delay MS] [--jitter MS]

From the moment that the log of its miner tells of it to the moment that each other log does. Needs network namespaces
(net_hosts.py). All nodes share this machine's processors, so the miners take what the others leave (nice), as if each
node had a machine of its own; the line about processor time says how far that goes.
"""

import argparse
import os
import re
from datetime import datetime

from gradient_node import main, workspace
from net_hosts import Hosts, need_hosts
from network import Network, NetworkNode, make_chain, percentile

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--nodes", type=int, default=20)
PARSER.add_argument("--miners", type=int, default=2)
PARSER.add_argument("--blocks", type=int, default=8)
PARSER.add_argument("--interval-ms", type=int, default=5000)
PARSER.add_argument("--delay", type=float, default=50)
PARSER.add_argument("--jitter", type=float, default=5)
OPTIONS = PARSER.parse_args()

LINE = re.compile(r"^(\S+Z) info height (\d+): block ([0-9a-f]{64}) ", re.MULTILINE)
PATIENCE_S = 240 + OPTIONS.blocks * OPTIONS.interval_ms / 1000 * 10


class YieldingNode(NetworkNode):
    """Leaves the processors to nodes that do not mine."""

    def launch(self, command, log):
        return super().launch(["nice", "-n", "15", *command] if self.mines else command, log)


def seen_at(node):
    """When each block became the node's tip, in milliseconds: {id: time}."""
    seen = {}
    for when, _, block in LINE.findall(node.log.read_text(errors="replace")):
        seen.setdefault(block, datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp() * 1000)
    return seen


def spreads():
    with workspace() as (folder, make), Hosts(OPTIONS.nodes, delay_ms=OPTIONS.delay, jitter_ms=OPTIONS.jitter) as hosts:
        chain = make_chain(folder, OPTIONS.interval_ms, hits=6)
        network = Network(make, chain, OPTIONS.nodes, topology="random", hosts=hosts, kind=YieldingNode,
                          arguments=["--lanes", "1", "--threads", "1", "--audit", "0"])
        for node in network.nodes[OPTIONS.miners:]:
            node.mines = False
        network.start()
        first = network[0].tip()[0] + 1
        busy = sum(node.processor_s() for node in network)
        network.wait_height(first + OPTIONS.blocks, PATIENCE_S)
        busy = sum(node.processor_s() for node in network) - busy
        for miner in network.nodes[: OPTIONS.miners]:
            miner.stop_mining()
        network.settle(PATIENCE_S)
        report(network, first, busy)
        network.compare()
        network.stop()


def report(network, first, busy):
    chain = {block["id"]: block for block in network[0].blocks()}
    logs = [seen_at(node) for node in network]
    made = set().union(*logs)
    stale = made - set(chain)
    to_each, to_all = [], []
    for block in chain:
        if chain[block]["height"] < first:
            continue
        times = sorted(log[block] for log in logs if block in log)
        to_each += [time - times[0] for time in times[1:]]
        if len(times) == len(network):
            to_all.append(times[-1] - times[0])
    print(f"{len(to_all)} blocks at {len(network)} nodes, {OPTIONS.delay:g} ms links: until a node has verified a "
          f"block {percentile(to_each, 50):.0f} ms (median), {percentile(to_each, 95):.0f} ms (95th percentile); until "
          f"all have {percentile(to_all, 50):.0f} ms, {percentile(to_all, 95):.0f} ms", flush=True)
    print(f"stale blocks: {len(stale)} of {len(made)} ({len(stale) / len(made):.1%}); {busy:.0f} s of processor time "
          f"of all nodes for {len(to_all)} blocks on {os.cpu_count()} processors", flush=True)
    assert len(to_all) >= OPTIONS.blocks // 2, (len(to_all), len(chain))


if __name__ == "__main__":
    need_hosts()
    main(spreads)
