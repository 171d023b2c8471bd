#!/usr/bin/env python3
"""A network that is cut in two and joined again: the heavier branch wins everywhere, no coin is made or lost, and what
the lighter branch had included is included again.

Usage: network_partition.py [--blocks K] [--interval-ms T] [--delay MS] [--jitter MS] [--loss PERCENT]

Two nodes are cut off from three for K blocks, and a second time for two blocks, so that shares of the abandoned branch
are young enough to be included late. Needs network namespaces (net_hosts.py). A block and its shares are some 300 kB:
at --delay 100 --jitter 50 --loss 5 TCP carries about 40 kB/s, so give --interval-ms 20000 with it.
"""

import argparse

from gradient_node import main, workspace
from net_hosts import Hosts, need_hosts
from network import Network, make_chain, wait_for
from payer import COIN, Payer

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--blocks", type=int, default=20)
PARSER.add_argument("--interval-ms", type=int, default=1000)
PARSER.add_argument("--delay", type=float, default=10)
PARSER.add_argument("--jitter", type=float, default=5)
PARSER.add_argument("--loss", type=float, default=0.2)
OPTIONS = PARSER.parse_args()

LIGHT, HEAVY = [0, 1], [2, 3, 4]  # most often; whose branch has more work decides
HEAL_S = 30
PATIENCE_S = 120 + OPTIONS.blocks * OPTIONS.interval_ms / 1000 * 10


def block_at(node, height):
    """The id of the block on its active chain, "" above its tip."""
    return node.rpc("chain_show", block=str(height))["id"] if node.tip()[0] >= height else ""


def is_one_chain(network, height):
    """Whether all nodes have the same block at a height."""
    return lowest(network) >= height and len({block_at(node, height) for node in network}) == 1


def differ_at(sides, height):
    """Whether no node of one side has the block that a node of the other side has at a height."""
    ours, theirs = ({block_at(node, height) for node in side} for side in sides)
    return not ours & theirs


def lowest(nodes):
    return min(node.tip()[0] for node in nodes)


def work_of_tip(node):
    return int(node.rpc("chain_show", block=str(node.tip()[0]))["cumulative_work"])


def pay_at(node, payer, count):
    """Submits transfers at a node; returns their ids."""
    nonce = node.rpc("account_show", address=payer.text)["next_nonce"]
    made = [payer.transfer(nonce + number, payer.address, 1000 + nonce + number) for number in range(count)]
    for _, encoded in made:
        node.rpc("transaction_submit", transaction=encoded)
    return [name for name, _ in made]


def is_included(node, name):
    return node.transaction_status(name) == "included"


def cut_and_heal(network, hosts, blocks, payer):
    """One cut of so many blocks on the side of three; prints figures, returns the height of the last common block."""
    hosts.partition(LIGHT, HEAVY)
    sides = [[network[number] for number in side] for side in (LIGHT, HEAVY)]
    before = lowest(network)
    paid = pay_at(network[0], payer, 2) if payer else []
    network[2].wait_height(before + blocks, PATIENCE_S)
    network[0].wait_height(before + max(1, blocks // 4), PATIENCE_S)
    wait_for(lambda: all(is_included(network[0], name) for name in paid),
             lambda: f"{paid} aren't included on their side\n{network.describe()}", PATIENCE_S)
    # Once the sides differ at a height, agreement there tells that one of them has given its branch up. Which one is
    # only known then: both go on mining, and the lead may change until they meet.
    wait_for(lambda: differ_at(sides, lowest(network)), network.describe, PATIENCE_S)
    top = lowest(network)
    ends = [block_at(side[0], top) for side in sides]
    heights = [side[0].tip()[0] for side in sides]
    most = max(work_of_tip(side[0]) for side in sides)
    hosts.heal()
    took = wait_for(lambda: is_one_chain(network, top) and all(work_of_tip(node) >= most for node in network),
                    lambda: f"no common block at height {top}, or less work than {most}\n{network.describe()}",
                    PATIENCE_S)
    lost = 1 if block_at(network[0], top) == ends[0] else 0
    split = fork_height(sides[lost][0], ends[lost])
    wait_for(lambda: all(is_included(node, name) for name in paid for node in network),
             lambda: f"{paid} aren't included everywhere\n{network.describe()}", PATIENCE_S)
    print(f"cut for {heights[1 - lost] - split} blocks against {heights[lost] - split}, which were abandoned: all "
          f"nodes on the heavier branch {took:.1f} s after the cut was healed, {len(paid)} transfers of the lighter "
          f"side included again", flush=True)
    assert took <= HEAL_S, took
    return split


def fork_height(node, block):
    """The height of the newest block that an abandoned tip and the active chain share."""
    while True:
        shown = node.rpc("chain_show", block=block)
        if shown["active"]:
            return shown["height"]
        block = shown["parent"]


def late_shares(node, split):
    return sum(node.rpc("chain_show", block=str(block["height"]))["late_shares"]
               for block in node.blocks(start=split + 1))


def heals():
    link = {"delay_ms": OPTIONS.delay, "jitter_ms": OPTIONS.jitter, "loss_percent": OPTIONS.loss}
    with workspace() as (folder, make), Hosts(5, **link) as hosts:
        chain = make_chain(folder, OPTIONS.interval_ms, hits=4)
        network = Network(make, chain, 5, hosts=hosts, arguments=["--lanes", "1", "--threads", "1"]).start()
        payer = Payer(network[0])
        network.wait_height(4, PATIENCE_S)
        # A miner's pay is fractions of a coin: enough for the fees of a few transfers.
        wait_for(lambda: float(network[0].rpc("account_show", address=payer.text)["balance"]) > 0.01,
                 lambda: f"{payer.text} was not paid\n{network.describe()}", PATIENCE_S)
        cut_and_heal(network, hosts, OPTIONS.blocks, payer)
        network.wait_height(network[0].tip()[0] + 2, PATIENCE_S)
        split = cut_and_heal(network, hosts, 2, None)
        network.wait_height(network[0].tip()[0] + 4, PATIENCE_S)
        height = network.agree(PATIENCE_S)
        print(f"late shares included since the second cut: {late_shares(network[0], split)} in {height - split} "
              f"blocks; {network.audit_coins() / COIN:.8f} coins, as many as were minted; {hosts.counters()}",
              flush=True)
        network.stop()
        for node in network:
            assert node.verify()["valid"] is True


if __name__ == "__main__":
    need_hosts()
    main(heals)
