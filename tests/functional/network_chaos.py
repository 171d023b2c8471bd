#!/usr/bin/env python3
"""Nodes are killed at random and started again while transfers come in: in the end all agree, and every transfer that a
node acknowledged is on the chain.

Usage: network_chaos.py [--seconds S | --minutes M] [--nodes N] [--seed S]

A transfer lives in the memory of the node that took it until that has told others. So a transfer whose node was killed
within RELAY_S of the acknowledgement counts as in doubt: its sender submits it again, as a wallet would. None else may
be missing.
"""

import argparse
import random
import threading
import time
from http.client import HTTPException

from gradient_node import RpcError, main, workspace
from network import Network, make_chain, wait_for
from payer import COIN, Payer

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--seconds", type=float, default=40)
PARSER.add_argument("--minutes", type=float, default=0)
PARSER.add_argument("--nodes", type=int, default=5)
PARSER.add_argument("--interval-ms", type=int, default=1000)
PARSER.add_argument("--seed", type=int, default=None)
OPTIONS = PARSER.parse_args()

RELAY_S = 3
KILL_EVERY_S = (2, 5)


class Load(threading.Thread):
    """Submits transfers of one account, in order, at nodes drawn at random."""

    def __init__(self, network, payer, start_nonce, rng):
        super().__init__()
        self.network, self.payer, self.rng = network, payer, rng
        self.start_nonce = start_nonce
        self.acknowledged = []  # (time, node, id, encoding)
        self.refused = {}
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.3):
            name, encoded = self.payer.transfer(self.start_nonce + len(self.acknowledged), self.payer.address, 1)
            while not self.ended.is_set():
                node = self.rng.choice(self.network.nodes)
                try:
                    node.rpc("transaction_submit", transaction=encoded)
                except RpcError as error:  # this node has not caught up: its account lacks the coins or the nonce
                    self.refused[str(error)] = self.refused.get(str(error), 0) + 1
                except (OSError, ValueError, AssertionError, HTTPException):
                    pass  # it is down, or was killed before it answered
                else:
                    self.acknowledged.append((time.monotonic(), node.name, name, encoded))
                    break
                self.ended.wait(0.1)


def kill_and_restart(network, rng, until):
    """Returns the kills as (time, node)."""
    kills = []
    while time.monotonic() < until:
        time.sleep(rng.uniform(*KILL_EVERY_S))  # the moment is the test's subject
        node = rng.choice(network.nodes[1:])
        kills.append((time.monotonic(), node.name))
        node.kill()
        time.sleep(rng.uniform(0, 2))
        node.start()
        print(f"killed {node.name}: back at height {node.tip()[0]}, the first node is at {network[0].tip()[0]}",
              flush=True)
    return kills


def survives_chaos():
    seed = OPTIONS.seed if OPTIONS.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed} (repeat with --seed {seed})", flush=True)
    rng = random.Random(seed)
    with workspace() as (folder, make):
        chain = make_chain(folder, OPTIONS.interval_ms)
        network = Network(make, chain, OPTIONS.nodes, arguments=["--lanes", "1", "--threads", "1"]).start()
        payer = Payer(network[0])
        account = lambda: network[0].rpc("account_show", address=payer.text)  # noqa: E731
        wait_for(lambda: float(account()["balance"]) > 1, network.describe)
        load = Load(network, payer, account()["nonce"], random.Random(seed + 1))
        load.start()
        try:
            seconds = OPTIONS.minutes * 60 or OPTIONS.seconds
            kills = kill_and_restart(network, rng, time.monotonic() + seconds)
        finally:
            load.ended.set()
            load.join()
        network.wait_connected()
        check_transfers(network, load, kills)
        network.agree()
        print(f"{network.audit_coins() / COIN:.8f} coins everywhere, as many as were minted", flush=True)
        network.stop()
        for node in network:
            assert node.verify()["valid"] is True


def check_transfers(network, load, kills):
    doubtful = set()
    for when, node, name, _ in load.acknowledged:
        if any(node == killed and when <= at <= when + RELAY_S for at, killed in kills):
            doubtful.add(name)

    def next_missing(names):
        """The first of them that the first node does not know; those before it are dropped from the list."""
        while names and network[0].transaction_status(names[0][1]) != "unknown":
            names.pop(0)
        return names[0] if names else None

    # What was acknowledged in peace is known to all: waiting or included. A doubtful one may hold up those with later
    # nonces, never make them be forgotten.
    unseen = [(node, name) for _, node, name, _ in load.acknowledged if name not in doubtful]
    wait_for(lambda: next_missing(unseen) is None,
             lambda: f"acknowledged and lost: {next_missing(unseen)}\n{network.describe()}")
    again = 0
    for _, _, name, encoded in load.acknowledged:
        if network[0].transaction_status(name) == "unknown":
            network[0].rpc("transaction_submit", transaction=encoded)
            again += 1
    last = load.acknowledged[-1][2]
    wait_for(lambda: network[0].transaction_status(last) == "included", network.describe)
    for _, _, name, _ in load.acknowledged:
        assert network[0].transaction_status(name) == "included", network[0].rpc("transaction_show", id=name)
    print(f"{len(kills)} kills, {len(load.acknowledged)} transfers acknowledged and included; {len(doubtful)} were "
          f"taken by a node within {RELAY_S} s of its death, {again} of them had to be submitted again; refused "
          f"meanwhile: {load.refused}", flush=True)
    assert load.acknowledged and kills


if __name__ == "__main__":
    main(survives_chaos)
