"""Networks of real nodes on one chain spec: started, joined, compared, audited. Support for the scripts network_*.py.

On loopback, or on hosts of their own (net_hosts.py). Nodes die with the script, however that ends.
"""

import contextlib
import http.client
import json
import os
import random
import subprocess
import time

from gradient_node import Node, RpcError, init_chain
from payer import Payer

PORT = 9421
NOT_FOUND = -32001  # error code of the RPC
PATIENCE_S = 240  # on a machine that does much else besides
PAGE = 500
UNITS_PER_COIN = 10**8


def make_chain(folder, interval_ms, units=None, maturity=3, hits=8, guards=2):
    """A chain spec whose blocks are small and cheap to check, so that many nodes fit on one machine: `hits` of them in
    a block. `units`: how many an interval takes, of all nodes together; left out: about what one machine does. With fewer
    blocks come so fast that nodes which share a machine can't check them all, and fall behind one another."""
    units = units or interval_ms * 4
    chain = init_chain(folder, ["--rows", "32", "--batch", "1", "--steps-per-unit", "1", "--units-per-hit", "2",
                                "--interval-ms", str(interval_ms), "--unit-ms", str(interval_ms / units)])
    spec = json.loads(chain.read_text())
    spec["params"] |= {"maturity_blocks": maturity, "hits_per_win": hits, "guards": guards}
    chain.write_text(json.dumps(spec))
    return chain


def edges(topology, count, seed=1):
    """Pairs (low, high) of nodes that are connected; the higher one dials."""
    if topology == "full":
        return [(low, high) for high in range(count) for low in range(high)]
    if topology == "star":
        return [(0, high) for high in range(1, count)]
    if topology == "line":
        return [(high - 1, high) for high in range(1, count)]
    if topology == "ring":
        return [(high - 1, high) for high in range(1, count)] + ([(0, count - 1)] if count > 2 else [])
    if topology == "random":  # a ring, and two more links of each node
        rng = random.Random(seed)
        pairs = set(edges("ring", count))
        for node in range(count):
            for other in rng.sample(range(count), min(2, count)):
                if other != node:
                    pairs.add((min(node, other), max(node, other)))
        return sorted(pairs)
    raise ValueError(topology)


class NetworkNode(Node):
    """A node that others can reach."""

    def __init__(self, folder, chain=None, arguments=(), host=None):
        super().__init__(folder, chain, arguments)
        self.host = host
        self.port = PORT if host else 0  # on loopback the first start finds one
        self.fixed = []  # nodes that it dials and keeps
        self.mines = True

    @property
    def name(self):
        return self.folder.name

    def listening(self):
        return f"{self.host.address if self.host else '127.0.0.1'}:{self.port}"

    def command(self, *more):
        own = ["--listen", self.host.address if self.host else "127.0.0.1", "--port", str(self.port),
               "--mine", "true" if self.mines else "false"]
        for other in self.fixed:
            own += ["--connect", other.listening()]
        return super().command(*own, *more)

    def launch(self, command, log):
        if self.host:
            return self.host.start(command, stdout=log, stderr=log)
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=log, stderr=log)

    def start(self, *more):
        endpoint = self.folder / "peer_endpoint"
        with contextlib.suppress(FileNotFoundError):
            endpoint.unlink()
        super().start(*more)
        self.port = int(endpoint.read_text().strip().rsplit(":", 1)[1])
        return self

    def connection(self, timeout):
        made = http.client.HTTPConnection(*self.address(), timeout=timeout)
        if self.host:
            made.sock = self.host.connection(self.address(), timeout)
        return made

    def transaction_status(self, name):
        """pooled, included, gone or unknown."""
        try:
            return self.rpc("transaction_show", id=name)["status"]
        except RpcError as error:
            assert error.code == NOT_FOUND, error
            return "unknown"

    def peers(self):
        return self.rpc("peers")

    def blocks(self, start=1):
        """Blocks of its active chain from a height up, as chain_list tells them."""
        found = []
        while True:
            page = self.rpc("chain_list", start=start + len(found), count=PAGE)["blocks"]
            found += page
            if len(page) < PAGE:
                return found

    def memory_kb(self, field="VmHWM"):
        """A line of /proc/PID/status: VmHWM is the peak, VmRSS what it holds now."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        raise KeyError(field)

    def processor_s(self):
        """Processor time that its process has taken so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Network:
    """`count` nodes made by a workspace; start() brings them up in order."""

    def __init__(self, make, chain, count, topology="full", hosts=None, arguments=(), kind=NetworkNode):
        self.nodes = [make(f"node{i + 1}", kind=kind, chain=chain, arguments=arguments,
                           host=hosts[i] if hosts else None) for i in range(count)]
        for low, high in edges(topology, count):
            self.nodes[high].fixed.append(self.nodes[low])

    def __getitem__(self, index):
        return self.nodes[index]

    def __iter__(self):
        return iter(self.nodes)

    def __len__(self):
        return len(self.nodes)

    def start(self, *more):
        for node in self.nodes:
            node.start(*more)
        self.wait_connected()
        return self

    def running(self):
        return [node for node in self.nodes if node.process is not None]

    def wait_connected(self, timeout_s=PATIENCE_S):
        """Waits until each node has the peers that it dials; whichever of two has come through first is kept."""
        identity = {node: node.rpc("network")["node"] for node in self.running()}

        def missing():
            for node in self.running():
                there = {peer["node"] for peer in node.peers()}
                for other in node.fixed:
                    if other in identity and identity[other] not in there:
                        return f"{node.name} has no connection to {other.name}"
            return None
        wait_for(lambda: missing() is None, lambda: f"{missing()}\n{self.describe()}", timeout_s)

    def wait_height(self, height, timeout_s=PATIENCE_S):
        for node in self.running():
            node.wait_height(height, timeout_s)

    def set_mining(self, on):
        for node in self.running():
            if on:
                node.rpc("mine_start")
            else:
                node.rpc("mine_stop")
        if not on:
            for node in self.running():
                node.stop_mining()

    def describe(self):
        """A line for each node: where it stands. For failures."""
        lines = []
        for node in self.nodes:
            if node.process is None:
                lines.append(f"{node.name}: not running")
                continue
            try:
                status = node.rpc("status")
                lines.append(f"{node.name}: height {status['height']}, tip {status['tip'][:12]}, peers "
                             f"{[(p['direction'], p['address'], p.get('height')) for p in node.peers()]}")
            except (OSError, RpcError, AssertionError) as error:
                lines.append(f"{node.name}: {error}")
        return "\n".join(lines)

    # ------------------------------------------------------------------ agreement

    @staticmethod
    def ends(nodes):
        """What each node has at its tip: height, id, state root, model."""
        statuses = [node.rpc("status") for node in nodes]
        return [(s["height"], s["tip"], s["state_root"], s["model"]["digest"]) for s in statuses]

    def settle(self, timeout_s=PATIENCE_S):
        """Stops mining and waits until all running nodes have one tip; returns its height, id, state root and model.

        Branches of equal work stay as they are for ever when nobody mines, so every two seconds that a difference has
        lasted the first node adds a block."""
        self.set_mining(False)
        nodes = self.running()
        deadline = time.monotonic() + timeout_s
        pushed = time.monotonic()
        while True:
            ends = self.ends(nodes)
            if len(set(ends)) == 1:
                return ends[0]
            assert time.monotonic() < deadline, f"no agreement:\n{self.describe()}"
            if time.monotonic() - pushed > 2:
                nodes[0].rpc("mine_start")
                nodes[0].wait_height(ends[0][0] + 1)
                nodes[0].stop_mining()
                pushed = time.monotonic()
            time.sleep(0.1)

    def compare(self):
        """Asserts that at every height that all running nodes have, id and state root are everywhere the same. The
        state root commits to the models of all tasks. Only where no branch can change meanwhile."""
        chains = [[(b["id"], b["state_root"]) for b in node.blocks(start=0)] for node in self.running()]
        common = min(map(len, chains))
        for height, row in enumerate(zip(*(chain[:common] for chain in chains))):
            assert len(set(row)) == 1, f"height {height} differs: {row}"
        return common - 1

    def agree(self, timeout_s=PATIENCE_S):
        """Stops mining, and asserts that all nodes come to one chain, one state and one model; returns its height."""
        height, tip, state_root, model = self.settle(timeout_s)
        compared = self.compare()
        assert compared == height, (compared, height)
        print(f"{len(self.running())} nodes agree: height {height}, tip {tip[:16]}, state root {state_root[:16]}, "
              f"model {model[:16]}", flush=True)
        return height

    def audit_coins(self):
        """Asserts that all nodes hold the same coins at the same addresses, and that these are all that were minted;
        returns units. Nobody but these nodes may have been paid, and nothing may be mined meanwhile."""
        miners = sorted({Payer(node).text for node in self.running()})
        held = {tuple(self.holdings(node, miner) for miner in miners) for node in self.running()}
        assert len(held) == 1, held
        total = sum(held.pop())
        for node in self.running():
            supply = node.rpc("supply")
            assert coins_in_units(supply["minted"]) - coins_in_units(supply["burnt"]) == total, (supply, total)
        return total

    @staticmethod
    def holdings(node, miner):
        account = node.rpc("account_show", address=miner)
        return coins_in_units(account["balance"]) + coins_in_units(account["maturing_total"])

    def stop(self):
        for node in self.running():
            node.stop()


# ------------------------------------------------------------------ plain helpers


def wait_for(condition, told=lambda: "it did not come", timeout_s=PATIENCE_S):
    """Polls; returns the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < timeout_s, told()
        time.sleep(0.05)
    return time.monotonic() - began


def coins_in_units(text):
    whole, _, part = text.partition(".")
    return int(whole) * UNITS_PER_COIN + int(part.ljust(8, "0"))


def percentile(numbers, percent):
    """The smallest number that at least so many per cent of them do not exceed."""
    ordered = sorted(numbers)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def write_svg(path, curves, x_title, y_title):
    """Draws named curves of points into one plain picture."""
    width, height, left, bottom = 720, 420, 70, 50
    points = [point for curve in curves.values() for point in curve]
    low_x, high_x = min(p[0] for p in points), max(p[0] for p in points)
    low_y, high_y = min(p[1] for p in points), max(p[1] for p in points)

    def place(point):
        x = left + (point[0] - low_x) / max(high_x - low_x, 1e-12) * (width - left - 20)
        y = height - bottom - (point[1] - low_y) / max(high_y - low_y, 1e-12) * (height - bottom - 20)
        return f"{x:.1f},{y:.1f}"

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
             f'font-size="12"><rect width="100%" height="100%" fill="white"/>',
             f'<path d="M{left},20V{height - bottom}H{width - 20}" fill="none" stroke="black"/>',
             f'<text x="{left}" y="{height - 30}">{low_x:g}</text>',
             f'<text x="{width - 20}" y="{height - 30}" text-anchor="end">{high_x:g}</text>',
             f'<text x="{width / 2}" y="{height - 10}" text-anchor="middle">{x_title}</text>',
             f'<text x="{left - 5}" y="{height - bottom}" text-anchor="end">{low_y:.3g}</text>',
             f'<text x="{left - 5}" y="30" text-anchor="end">{high_y:.3g}</text>',
             f'<text x="10" y="15">{y_title}</text>']
    for number, (name, curve) in enumerate(curves.items()):
        colour = ("#0b62a4", "#c23b22", "#3a7d44", "#7a3e9d")[number % 4]
        lines.append(f'<polyline points="{" ".join(map(place, curve))}" fill="none" stroke="{colour}" '
                     'stroke-width="1.5"/>')
        lines.append(f'<text x="{width - 30}" y="{35 + 16 * number}" text-anchor="end" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*lines, "</svg>\n"]))
