"""Hosts with network addresses of their own: network namespaces joined by a switch with slow and lossy links.

Support for the scripts network_*.py; needs the rights to make network namespaces (root, or user namespaces) and
/dev/net/tun. Namespaces have no names: they live as long as a process holds them, so that a run that is killed leaves
neither namespaces nor devices nor processes. Run by itself, it checks what it promises.

A switch of ours instead of bridges with `tc netem`: see net_switch.py.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
CLONE_NEWNET = 0x4000_0000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x4004_54CA, 0x0002, 0x1000
DEVICE = "eth0"
MTU_BYTES = 1500
LIBC = ctypes.CDLL(None, use_errno=True)


def why_no_hosts():
    """Makes sure that this process may make hosts: as root, or by starting the script again as the root of a user
    namespace of its own. Where neither goes, returns the reason; else None. To be called first."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun to use; hosts need it."
    try:
        Host(0, address_of(0)).close()
        return None
    except OSError as error:
        reason = error.strerror
    asked = "GRADIENT_TEST_IN_NAMESPACE"
    can = ["unshare", "--user", "--map-root-user", "--net"]
    if asked not in os.environ and subprocess.run([*can, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[asked] = "1"
        os.execvp(can[0], [*can, sys.executable, *sys.argv])
    return f"network namespaces are not allowed here ({reason}); run it as root."


def need_hosts():
    """As why_no_hosts(); ends the script as skipped, loudly, where there can be none."""
    reason = why_no_hosts()
    if reason:
        print(f"SKIPPED: {Path(sys.argv[0]).name}: {reason}", file=sys.stderr, flush=True)
        sys.exit(SKIPPED)


def call_libc(name, *arguments):
    if getattr(LIBC, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def address_of(index):
    """Addresses of the world, so that nodes take them as such, each host's in a network group (/16) of its own. What is
    sent to them leaves no namespace."""
    return f"45.{index + 1}.77.1"


class Host:
    """A network namespace with one network card. Threads enter it one by one, processes are started in it."""

    def __init__(self, index, address):
        self.index = index
        self.address = address
        with open("/proc/thread-self/ns/net", "rb") as home:
            call_libc("unshare", CLONE_NEWNET)
            try:
                self.namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
                self.tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
                fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TAP | IFF_NO_PI))
                orders = ["link set lo up", f"link set {DEVICE} mtu {MTU_BYTES} up",
                          f"address add {address}/8 dev {DEVICE}"]
                subprocess.run(["ip", "-batch", "-"], input="\n".join(orders), text=True, check=True)
            finally:
                call_libc("setns", home.fileno(), CLONE_NEWNET)

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in the host; what it opens or starts there stays there."""
        with open("/proc/thread-self/ns/net", "rb") as home:
            call_libc("setns", self.namespace, CLONE_NEWNET)
            try:
                yield self
            finally:
                call_libc("setns", home.fileno(), CLONE_NEWNET)

    def connection(self, address, timeout_s=None):
        """A TCP connection from within the host, for use from outside."""
        with self.inside():
            return socket.create_connection(address, timeout=timeout_s)

    def start(self, command, **how):
        """Starts a program in the host, as Popen does. It dies with the calling thread."""
        with self.inside():
            return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], **how)

    def close(self):
        os.close(self.tap)
        os.close(self.namespace)


class Hosts:
    """`count` hosts on one switch. A context manager; the devices and the switch end with it."""

    def __init__(self, count, **link):
        self.list = [Host(index, address_of(index)) for index in range(count)]
        taps = [host.tap for host in self.list]
        self.switch = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, Path(__file__).with_name("net_switch.py"),
             *map(str, taps)], pass_fds=taps, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock = threading.Lock()
        self.link(**link)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.switch.stdin.close()
        self.switch.wait(timeout=10)
        self.switch.stdout.close()
        for host in self.list:
            host.close()

    def __getitem__(self, index):
        return self.list[index]

    def __len__(self):
        return len(self.list)

    def link(self, host=None, **link):
        """Sets what a host's cable does to what the host sends, or every host's: delay_ms, jitter_ms, loss_percent,
        rate_mbit (0: any rate). Returns the switch's counters so far."""
        with self.lock:
            self.switch.stdin.write(json.dumps({"port": host, **link}) + "\n")
            self.switch.stdin.flush()
            return json.loads(self.switch.stdout.readline())

    def give(self, owner, addresses):
        """Makes all addresses of a block (a.b.c.d/bits) a host's own; the others send there what is for them."""
        for host in self.list:
            route = ["local", addresses, "dev", "lo"] if host is owner else [addresses, "via", owner.address]
            with host.inside():
                subprocess.run(["ip", "route", "add", *route], check=True)

    def counters(self):
        return self.link()

    def partition(self, *groups):
        """Hosts (by number) hear those of their own group only. Hosts that are in no group stay together."""
        for number, group in enumerate(groups):
            for host in group:
                self.link(host, group=number + 1)

    def heal(self):
        self.link(group=0)


# ------------------------------------------------------------------ checks of this file itself

ECHO = """
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
server = socketserver.ThreadingTCPServer(("", 7), Echo)
print("ready", flush=True)
server.serve_forever()
"""


def start_echo(host):
    process = host.start([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def round_trip_s(connection, size=64):
    began = time.monotonic()
    connection.sendall(bytes(size))
    left = size
    while left > 0:
        left -= len(connection.recv(65536))
    return time.monotonic() - began


def links_are_slow_and_can_be_cut():
    with Hosts(3) as hosts:
        echo = start_echo(hosts[0])
        there = (hosts[0].address, 7)
        near = hosts[1].connection(there, timeout_s=5)
        assert near.getpeername()[0] == hosts[0].address and near.getsockname()[0] == hosts[1].address
        quick = min(round_trip_s(near) for _ in range(10))
        hosts.link(delay_ms=50)
        slow = min(round_trip_s(near) for _ in range(3))
        print(f"round trip {quick * 1000:.2f} ms, with 50 ms links {slow * 1000:.1f} ms")
        assert 0.1 <= slow < 0.1 + 10 * max(quick, 0.005)

        hosts.partition([0], [1, 2])
        near.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            round_trip_s(near)
            raise AssertionError("a frame crossed the cut")
        hosts.heal()
        near.settimeout(20)
        assert near.recv(64), "what was sent into the cut comes after it is healed"

        hosts.link(delay_ms=5, jitter_ms=5, loss_percent=5)
        far = hosts[2].connection(there, timeout_s=30)
        lossy = round_trip_s(far, size=300_000)
        hosts.link(delay_ms=0, jitter_ms=0, loss_percent=0, rate_mbit=10)
        paced = round_trip_s(far, size=1_000_000)
        counters = hosts.counters()
        print(f"300 kB there and back at 5 % loss {lossy:.2f} s; 1 MB at 10 Mbit/s {paced:.2f} s; {counters}")
        assert paced >= 0.8 and counters["lost"] > 0 and counters["cut"] > 0
        echo.kill()
        echo.wait()
        near.close()
        far.close()


def carries_enough():
    with Hosts(2) as hosts:
        echo = start_echo(hosts[0])
        with hosts[1].connection((hosts[0].address, 7), timeout_s=30) as connection:
            sender = threading.Thread(target=connection.sendall, args=(bytes(20_000_000),))
            began = time.monotonic()
            sender.start()
            left = 20_000_000
            while left > 0:
                left -= len(connection.recv(1 << 20))
            sender.join()
            rate = 2 * 20 / (time.monotonic() - began)
        print(f"throughput {rate:.0f} MB/s")
        echo.kill()
        echo.wait()
        assert rate > 2


LEAVES_NOTHING = """
import os, sys
sys.path.insert(0, sys.argv[1])
from net_hosts import Hosts, start_echo
hosts = Hosts(2)
print(start_echo(hosts[0]).pid, hosts.switch.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def a_killed_run_leaves_nothing():
    done = subprocess.run([sys.executable, "-c", LEAVES_NOTHING, str(Path(__file__).parent)], stdout=subprocess.PIPE,
                          text=True, check=False)
    for pid in map(int, done.stdout.split()):
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            waiting = os.pidfd_open(pid)
            assert select.select([waiting], [], [], 10)[0], f"process {pid} still runs"
            os.close(waiting)


if __name__ == "__main__":
    need_hosts()
    for check in (links_are_slow_and_can_be_cut, carries_enough, a_killed_run_leaves_nothing):
        check()
        print(f"{check.__name__}: passed", flush=True)
