#!/usr/bin/env python3
"""Two blocks of one height: each node keeps the one it saw first, and the next block brings both together at once."""

from gradient_node import main, workspace
from network import Network, make_chain, wait_for

BLOCKS = 4
SECONDS = 5  # less than any limit after which what was missed is asked for again
BUSY_SECONDS = 60  # to find a block, whatever else the machine does


def mine_one(node):
    """At least one block: the miner may find another one before it hears that it should stop."""
    node.rpc("mine_start")
    node.wait_height(node.tip()[0] + 1, BUSY_SECONDS)
    node.stop_mining()


def next_block_ends_a_tie():
    with workspace() as (folder, make):
        chain = make_chain(folder, 1000, units=3000)  # dear blocks: one at a time
        network = Network(make, chain, 2, arguments=["--lanes", "1", "--threads", "1"])
        first, second = network
        second.fixed = []
        for node in network:
            node.mines = False
        network.start()
        for node in network:
            mine_one(node)
        while first.tip()[0] < second.tip()[0]:
            mine_one(first)
        second.rpc("connect_peer", address=first.listening())
        wait_for(second.peers, network.describe)
        took = []
        for _ in range(BLOCKS):
            mine_one(first)
            took.append(wait_for(lambda: first.tip() == second.tip(), network.describe, SECONDS))
        print(f"after a tie the other node had each new block within {max(took):.2f} s", flush=True)
        network.stop()


if __name__ == "__main__":
    main(next_block_ends_a_tie)
