#!/usr/bin/env python3
"""Five mining nodes come to one chain, one state and one model, and include what is submitted at one of them.

Usage: network_agree.py [--nodes N] [--blocks K] [--interval-ms T] [--minutes M --out DIR]

With --minutes they mine for so long, and one miner alone then does as many units: both losses against the units that
were computed go to DIR/loss.csv and DIR/loss.svg.
"""

import argparse
import csv
import time
from pathlib import Path

from gradient_node import main, workspace
from network import Network, coins_in_units, make_chain, wait_for, write_svg
from payer import COIN, Payer

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--nodes", type=int, default=5)
PARSER.add_argument("--blocks", type=int, default=20)
PARSER.add_argument("--interval-ms", type=int, default=500)
PARSER.add_argument("--minutes", type=float, default=0)
PARSER.add_argument("--out", type=Path, default=Path("."))
OPTIONS = PARSER.parse_args()

MINER = ["--lanes", "1", "--threads", "1"]
TRANSFERS = 5


def balance(node, address):
    return coins_in_units(node.rpc("account_show", address=address)["balance"])


def sample(nodes):
    """(units computed by all nodes since their start, held-out loss at the first node's tip, its height)."""
    statuses = [node.rpc("status") for node in nodes]
    units = sum(status["mining"]["units_computed"] for status in statuses)
    score = statuses[0]["held_out"]
    return units, score["brier"] if score else None, statuses[0]["height"]


def curve_until(nodes, done):
    """Samples every second until done(sample)."""
    points = []
    while True:
        point = sample(nodes)
        if point[1] is not None:
            points.append(point)
        if done(point):
            return points
        time.sleep(1)


def transfers_are_included(network):
    """Submits at the first node that has coins, and waits at the last one."""
    node = network[0]
    payer = Payer(node)
    wait_for(lambda: balance(node, payer.text) > COIN, network.describe)
    ids = []
    nonce = node.rpc("account_show", address=payer.text)["nonce"]
    for number in range(TRANSFERS):
        name, encoded = payer.transfer(nonce + number, payer.address, 1000 + number)
        assert node.rpc("transaction_submit", transaction=encoded)["id"] == name
        ids.append(name)
    last = network[len(network) - 1]
    took = [wait_for(lambda: last.transaction_status(name) == "included", network.describe)
            for name in ids]
    print(f"{TRANSFERS} transfers submitted at {node.name}, included at {last.name} within {sum(took):.1f} s",
          flush=True)
    return ids


def all_agree():
    with workspace() as (folder, make):
        chain = make_chain(folder, OPTIONS.interval_ms)
        network = Network(make, chain, OPTIONS.nodes, arguments=MINER).start()
        ids = transfers_are_included(network)
        network.wait_height(OPTIONS.blocks)
        if OPTIONS.minutes:
            end = time.monotonic() + OPTIONS.minutes * 60
            together = curve_until(network.nodes, lambda _: time.monotonic() > end)
        network.agree()
        computed = sum(node.rpc("status")["mining"]["units_computed"] for node in network)
        for node in network:
            for name in ids:
                assert node.transaction_status(name) == "included", (node.name, name)
        blocks = network[0].blocks()
        miners = {block["miner"] for block in blocks}
        status = network[0].rpc("status")
        print(f"{len(blocks)} blocks of {len(miners)} miners, {network.audit_coins() / COIN:.8f} coins everywhere; "
              f"{status['chain']['units'] / computed:.3f} of the units computed are in the chain "
              f"({status['chain']['useful_fraction']:.3f} by its own estimate), verification ratio "
              f"{status['chain']['verification_ratio']:.3f}", flush=True)
        assert len(miners) > 1, "one node has made all blocks"
        network.stop()
        for node in network:
            assert node.verify()["valid"] is True
        if OPTIONS.minutes:
            compare_with_one_miner(make, chain, together)


def compare_with_one_miner(make, chain, together):
    units = together[-1][0]
    alone = Network(make, chain, 1, arguments=["--lanes", "2", "--threads", "2"])
    alone[0].folder = alone[0].folder.with_name("alone")
    alone.start()
    single = curve_until(alone.nodes, lambda point: point[0] >= units)
    alone.stop()
    OPTIONS.out.mkdir(parents=True, exist_ok=True)
    with open(OPTIONS.out / "loss.csv", "w", newline="", encoding="ascii") as file:
        writer = csv.writer(file)
        writer.writerow(["miners", "units_computed", "held_out_brier", "height"])
        for count, points in ((OPTIONS.nodes, together), (1, single)):
            writer.writerows((count, *point) for point in points)
    curves = {f"{OPTIONS.nodes} miners": [p[:2] for p in together], "1 miner": [p[:2] for p in single]}
    write_svg(OPTIONS.out / "loss.svg", curves, "units computed", "held-out Brier score")
    print(f"{units} units: {OPTIONS.nodes} miners come from {together[0][1]:.4f} to {together[-1][1]:.4f}, one alone "
          f"from {single[0][1]:.4f} to {single[-1][1]:.4f}; written to {OPTIONS.out}/loss.csv and loss.svg", flush=True)


if __name__ == "__main__":
    main(all_agree)
