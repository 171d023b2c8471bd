#!/usr/bin/env python3
"""A node under attack: its RPC answers in time, its memory is bounded, its honest peer stays and brings blocks.

Usage: network_hostile.py [--seconds S] [--only NAME ...]

Attackers sit on a host of their own with network groups full of addresses (net_hosts.py), or on loopback where there
can be no hosts: there, network groups count for nothing. Each attack of peer_attacks.py in turn, for S seconds. Prints
for each: the 50th and 99th percentile of the RPC's answers and what they are at the honest peer, the memory before and
at its peak, and the processor time that the node and the attacker spent on a message.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from gradient_node import main, workspace
from net_hosts import Hosts, why_no_hosts
from network import Network, make_chain, percentile, wait_for
from peer_attacks import ATTACKS
from peer_client import Identity, call, hello_fields

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--seconds", type=float, default=0.8)
PARSER.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS))
OPTIONS = PARSER.parse_args()

P99_LIMIT_MS = 100
P99_RATIO = 5  # beside a node that nobody attacks, at the same time: the machine may be busy with other things
GROWTH_LIMIT_KB = 200 * 1024  # a few queues of kMaxSendQueueBytes, and blocks under way
# Limits of time must pass: of a handshake, of a frame; and of small offences one a second counts.
LONGER_S = {"slow_loris": 17, "header_flood": 12, "connection_flood": 4, "never_reads": 3, "spoilt_shares": 3}

# What costs its sender more than the node, and is held against him slowly or not at all.
KEPT = ("spoilt_blocks", "spoilt_shares", "unknown_parents", "inventory_flood", "request_flood", "never_reads",
        "forged_tips")


class Probe(threading.Thread):
    """Asks for the node's status every few milliseconds and notes how long that takes."""

    def __init__(self, node):
        super().__init__()
        self.node = node
        self.ended = threading.Event()
        self.took_ms = []

    def run(self):
        while not self.ended.wait(0.01):
            began = time.monotonic()
            self.node.rpc("status")
            self.took_ms.append((time.monotonic() - began) * 1000)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def forget_peak(node):
    """Starts VmHWM anew."""
    Path(f"/proc/{node.process.pid}/clear_refs").write_text("5\n")


def honest_block(honest, victim):
    """The honest peer finds a block; returns the seconds until the victim has it."""
    honest.rpc("mine_start")
    honest.wait_height(victim.tip()[0] + 1)
    honest.stop_mining()
    height, _ = honest.tip()
    return wait_for(lambda: victim.tip()[0] >= height, victim.log_text)


def honest_connection(victim, node):
    """Since when the honest peer has been connected; None if it is not."""
    found = [peer for peer in victim.peers() if peer["node"] == node]
    return found[0]["peer"] if found else None


def attack(name, victim, honest, place, peace):
    status = victim.rpc("status")
    seconds = max(OPTIONS.seconds, LONGER_S.get(name, 0))
    command = [sys.executable, str(Path(__file__).with_name("peer_attacks.py")), name, victim.listening(),
               json.dumps({key: status[key] for key in ("genesis", "network_id", "height", "tip", "unit_work")}),
               str(seconds)]
    forget_peak(victim)
    before, busy, began = victim.memory_kb("VmRSS"), victim.processor_s(), time.monotonic()
    with Probe(victim) as probe, Probe(honest) as control:
        with place.inside() if place else contextlib.nullcontext():
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, name
    lasted = time.monotonic() - began
    busy = victim.processor_s() - busy - peace["processor"] * lasted
    report = json.loads(out)
    p50, p99 = percentile(probe.took_ms, 50), percentile(probe.took_ms, 99)
    peak, after = victim.memory_kb("VmHWM"), victim.memory_kb("VmRSS")
    each = 1e6 / max(1, report["messages"])
    elsewhere = percentile(control.took_ms, 99)
    print(f"{name}: RPC {p50:.1f} / {p99:.1f} ms ({elsewhere:.1f} at the honest node), memory "
          f"{before / 1024:.0f} -> {after / 1024:.0f} MiB (peak {peak / 1024:.0f}), "
          f"{report['messages']} messages, {report['bytes'] / 1e6:.1f} MB, {report['connections']} connections; a "
          f"message costs the node {max(0, busy) * each:.0f} us and its maker {report['processor_s'] * each:.0f} us; "
          f"{report['ends']}", flush=True)
    assert p99 < max(P99_LIMIT_MS, P99_RATIO * elsewhere), (name, p99, elsewhere)
    assert peak - before < GROWTH_LIMIT_KB, (name, before, peak)
    return report


def in_peace(victim):
    busy, began = victim.processor_s(), time.monotonic()
    with Probe(victim) as probe:
        time.sleep(2)
    processor = (victim.processor_s() - busy) / (time.monotonic() - began)
    peace = {"p50": percentile(probe.took_ms, 50), "p99": percentile(probe.took_ms, 99), "processor": processor}
    print(f"in peace: RPC {peace['p50']:.1f} / {peace['p99']:.1f} ms", flush=True)
    return peace


def stranger_is_let_in(victim, place):
    """Somebody from another network group still gets a connection; returns after how many seconds."""
    address = victim.listening().rpartition(":")[0], victim.port
    identity = Identity()

    def enter():
        hello = hello_fields(victim.rpc("status"))
        try:
            with place.inside() if place else contextlib.nullcontext():
                peer, _ = call(address, identity, hello, timeout_s=5)
        except (OSError, ConnectionError):
            return False
        peer.close()
        return True
    return wait_for(enter, victim.log_text)


def check_ends(name, report):
    """What an attack must come to, beside costing nothing."""
    ends = report["ends"]
    if name == "slow_loris":
        assert not any("kept" in end for end in ends), ends
    elif name == "connection_flood":
        assert ends["still in"] < 100, ends
    elif name == "header_flood":  # the last connection is young when the time is over
        assert ends.get("misbehaviour", 0) > 0, ends
    elif name == "garbage_before_tls":  # some of it begins as a handshake does, and may take the time of one
        assert ends.get("kept", 0) < report["connections"] / 20, ends
    elif name not in KEPT:
        assert ends.get("kept", 0) == 0, (name, ends)


def withstands():
    with workspace() as (folder, make), contextlib.ExitStack() as stack:
        hosts = stack.enter_context(Hosts(4)) if HOSTS else None
        attackers, stranger = (hosts[2], hosts[3]) if hosts else (None, None)
        if hosts:
            for group in range(200, 210):
                hosts.give(attackers, f"45.{group}.0.0/16")
        chain = make_chain(folder, 1000)
        network = Network(make, chain, 2, hosts=hosts, arguments=["--lanes", "1", "--threads", "1"]).start()
        victim, honest = network
        network.wait_height(3)
        network.settle()
        node = honest.rpc("network")["node"]
        connected = honest_connection(victim, node)
        assert connected is not None, victim.peers()
        peace = in_peace(victim)
        peers = len(victim.peers())
        for name in OPTIONS.only:
            report = attack(name, victim, honest, attackers, peace)
            check_ends(name, report)
            assert honest_connection(victim, node) == connected, f"{name}: the honest peer was lost"
            honest_block(honest, victim)
            if name == "connection_flood":
                took = stranger_is_let_in(victim, stranger)
                print(f"connection_flood: a stranger of another group is let in after {took:.1f} s", flush=True)
        wait_for(lambda: len(victim.peers()) <= peers, lambda: f"attackers stay: {victim.peers()}")
        bans = victim.rpc("bans")
        print(f"{len(bans)} bans; the honest peer is on its first connection", flush=True)
        network.agree()
        network.stop()


if __name__ == "__main__":
    WHY_NOT = why_no_hosts()
    HOSTS = WHY_NOT is None
    if not HOSTS:
        print(f"on loopback: {WHY_NOT}", file=sys.stderr, flush=True)
    main(withstands)
