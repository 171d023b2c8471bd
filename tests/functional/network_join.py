#!/usr/bin/env python3
"""A fresh node joins a network at height H and verifies everything, while mining goes on; another one starts from a
snapshot and verifies the history behind it.

Usage: network_join.py [--height H] [--nodes N] [--interval-ms T]

Prints the time until it stands at the tip, what came over the wire, its peak memory, and its work beside that of
training. H = 1000 with --interval-ms 200 is the long run.
"""

import argparse
import time

from gradient_node import main, workspace
from network import Network, NetworkNode, make_chain, wait_for

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--height", type=int, default=40)
PARSER.add_argument("--nodes", type=int, default=2)
PARSER.add_argument("--interval-ms", type=int, default=300)
OPTIONS = PARSER.parse_args()

SNAPSHOT_EVERY, SNAPSHOT_DEPTH = 100, 20  # blocks; one is served once it is so deep
MINER = ["--lanes", "1", "--threads", "1"]
PATIENCE_S = 240 + OPTIONS.height * OPTIONS.interval_ms / 1000 * 5


def catch_up(newcomer, network):
    """Waits until it has the first node's tip of a moment ago; returns (seconds to the height of its start, seconds to
    the tip)."""
    began = time.monotonic()
    goal = network[0].tip()[0]
    newcomer.wait_height(goal, PATIENCE_S)
    to_goal = time.monotonic() - began
    while True:
        height, tip = network[0].tip()
        newcomer.wait_height(height, PATIENCE_S)
        if newcomer.rpc("chain_show", block=str(height))["id"] == tip and network[0].tip()[0] <= height + 1:
            return goal, to_goal, time.monotonic() - began
        assert time.monotonic() - began < PATIENCE_S, network.describe()


def size_of(node, start):
    """Bytes of the blocks of its chain from a height up."""
    return sum(node.rpc("chain_show", block=str(block["height"]))["size_bytes"] for block in node.blocks(start=start))


def starts_from_snapshot(make, chain, network):
    """A node that begins with a snapshot of its peers, if they have one by now."""
    if network[0].tip()[0] < SNAPSHOT_EVERY + SNAPSHOT_DEPTH:
        print(f"no snapshot yet: they are made each {SNAPSHOT_EVERY} blocks", flush=True)
        return
    node = make("from_snapshot", kind=NetworkNode, chain=chain, arguments=MINER)
    node.mines = False
    node.fixed = [network[0], network[1]]
    began = time.monotonic()
    node.start("--from-snapshot")
    goal, _, _ = catch_up(node, network)
    to_tip = time.monotonic() - began
    figures = node.rpc("network")
    received = figures["bytes_received"]
    history = node.rpc("status")["history"]
    above = size_of(node, history["of"] + 1)
    wait_for(lambda: is_verified(node), node.log_text, PATIENCE_S)
    print(f"from a snapshot of height {history['of']}: at the moving tip {goal} after {to_tip:.1f} s with "
          f"{received / 1e6:.1f} MB beside the snapshot ({above / 1e6:.1f} MB of blocks above it), its history verified "
          f"after {time.monotonic() - began:.1f} s; peak memory {node.memory_kb('VmHWM') / 1024:.0f} MiB, processor "
          f"time {node.processor_s():.1f} s; messages {figures['messages']}", flush=True)
    assert received < 2 * above + 10_000_000, "a snapshot is to spare the history"
    node.stop()


def is_verified(node):
    history = node.rpc("status")["history"]
    return history is None or history["verified"]


def joins():
    with workspace() as (folder, make):
        chain = make_chain(folder, OPTIONS.interval_ms)
        network = Network(make, chain, OPTIONS.nodes, arguments=MINER).start()
        network.wait_height(OPTIONS.height, PATIENCE_S)
        trained = sum(node.processor_s() for node in network)
        figures = network[0].rpc("status")["chain"]

        newcomer = make("newcomer", kind=NetworkNode, chain=chain, arguments=MINER)
        newcomer.mines = False
        newcomer.fixed = [network[0], network[1]]
        newcomer.start()
        goal, to_goal, to_tip = catch_up(newcomer, network)
        processor, peak = newcomer.processor_s(), newcomer.memory_kb("VmHWM")
        figures_in = newcomer.rpc("network")
        received, shares = figures_in["bytes_received"], figures_in["messages"].get("share", 0)
        size = size_of(newcomer, 1)  # what came while it was catching up is in it
        print(f"{goal} blocks verified in {to_goal:.1f} s, at the moving tip after {to_tip:.1f} s; it has "
              f"{newcomer.tip()[0]} blocks of {size / 1e6:.1f} MB in all, received {received / 1e6:.1f} MB and {shares} "
              f"shares alone; peak memory {peak / 1024:.0f} MiB (a miner's {network[0].memory_kb('VmHWM') / 1024:.0f} MiB)", flush=True)
        print(f"processor time {processor:.1f} s beside {trained:.1f} s of mining (1 : {trained / processor:.1f}); "
              f"units replayed {figures['units_replayed']} of {figures['units']} "
              f"({figures['verification_ratio']:.3f})", flush=True)
        assert received < 2 * size + 10_000_000, "much was sent twice"

        starts_from_snapshot(make, chain, network)

        # It stays at the tip, and mines along.
        newcomer.wait_height(goal + 10, PATIENCE_S)
        newcomer.rpc("mine_start")
        network.nodes.append(newcomer)
        network.wait_height(goal + 15, PATIENCE_S)
        network.agree(PATIENCE_S)
        network.audit_coins()
        network.stop()
        assert newcomer.verify()["valid"] is True


if __name__ == "__main__":
    main(joins)
