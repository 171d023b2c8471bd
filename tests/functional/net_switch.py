"""An Ethernet switch in user space, with slow and lossy links, that can be cut in two.

Run by net_hosts.py as a program: net_switch.py FD ..., one TAP file descriptor a port. Each line of standard input is
one JSON object: {"port": N or null for all, "delay_ms", "jitter_ms", "loss_percent", "rate_mbit", "group"}; a port
keeps what a line does not name, and {"seed": N} starts the drawing anew. Each line is answered by the counters. It ends
with its standard input.

Why not `tc netem` on a bridge: many kernels lack netem, TAP needs no module beside it, and the devices go with this
process, so that a killed run leaves nothing.
"""

import heapq
import json
import os
import random
import select
import sys
import time

MAX_FRAME_BYTES = 65_536
FRAMES_A_TURN = 64
QUEUE_S = 2.0  # what waits longer for a port's rate is dropped, as in a router
BROADCAST = 1  # lowest bit of the first byte of an address


class Port:
    """One host's cable. Delay, loss and rate are those of what the host sends."""

    def __init__(self, fd):
        self.fd = fd
        self.delay_s = self.jitter_s = 0.0
        self.loss = 0.0
        self.bytes_a_second = None
        self.group = 0
        self.free_at = 0.0  # when the rate lets the next frame go
        self.arrival = {}  # by receiving port: when the newest frame arrives; frames keep their order


class Switch:
    def __init__(self, ports):
        self.ports = ports
        self.where = {}  # port by address
        self.flying = []  # heap of (arrival, number, port, frame)
        self.number = 0
        self.random = random.Random(1)
        self.counters = {"frames": 0, "bytes": 0, "lost": 0, "cut": 0, "overflown": 0, "refused": 0}

    def configure(self, order):
        if "seed" in order:
            self.random = random.Random(order["seed"])
        chosen = order.get("port")
        for port in self.ports if chosen is None else [self.ports[chosen]]:
            port.delay_s = order.get("delay_ms", port.delay_s * 1000) / 1000
            port.jitter_s = order.get("jitter_ms", port.jitter_s * 1000) / 1000
            port.loss = order.get("loss_percent", port.loss * 100) / 100
            port.group = order.get("group", port.group)
            if "rate_mbit" in order:
                port.bytes_a_second = order["rate_mbit"] * 125_000 if order["rate_mbit"] else None

    def receive(self, source, now):
        for _ in range(FRAMES_A_TURN):
            try:
                frame = os.read(source.fd, MAX_FRAME_BYTES)
            except BlockingIOError:
                return
            self.where[frame[6:12]] = source
            target = self.where.get(frame[:6])
            if frame[0] & BROADCAST or target is None:
                for port in self.ports:
                    if port is not source:
                        self.send(source, port, frame, now)
            else:
                self.send(source, target, frame, now)

    def send(self, source, target, frame, now):
        if source.group != target.group:
            self.counters["cut"] += 1
            return
        if source.loss and self.random.random() < source.loss:
            self.counters["lost"] += 1
            return
        leaves = now
        if source.bytes_a_second:
            if source.free_at - now > QUEUE_S:
                self.counters["overflown"] += 1
                return
            leaves = source.free_at = max(now, source.free_at) + len(frame) / source.bytes_a_second
        wander = self.random.uniform(-source.jitter_s, source.jitter_s) if source.jitter_s else 0.0
        arrives = max(leaves + max(0.0, source.delay_s + wander), source.arrival.get(target, 0.0))
        source.arrival[target] = arrives
        self.number += 1
        heapq.heappush(self.flying, (arrives, self.number, target, frame))

    def deliver(self, now):
        """Hands over what has arrived; returns the time until the next arrival, None if nothing flies."""
        while self.flying and self.flying[0][0] <= now:
            _, _, port, frame = heapq.heappop(self.flying)
            try:
                os.write(port.fd, frame)
                self.counters["frames"] += 1
                self.counters["bytes"] += len(frame)
            except (BlockingIOError, OSError):
                self.counters["refused"] += 1  # the host's queue is full, or its device is down
        return self.flying[0][0] - now if self.flying else None

    def run(self):
        epoll = select.epoll()
        epoll.register(0, select.EPOLLIN)
        by_fd = {port.fd: port for port in self.ports}
        for fd in by_fd:
            os.set_blocking(fd, False)
            epoll.register(fd, select.EPOLLIN)
        wait = None
        while True:
            ready = epoll.poll(None if wait is None else max(0.0, wait))
            now = time.monotonic()
            for fd, _ in ready:
                if fd != 0:
                    self.receive(by_fd[fd], now)
                    continue
                line = sys.stdin.readline()
                if not line:
                    return
                self.configure(json.loads(line))
                print(json.dumps(self.counters), flush=True)
            wait = self.deliver(time.monotonic())


if __name__ == "__main__":
    Switch([Port(int(fd)) for fd in sys.argv[1:]]).run()
