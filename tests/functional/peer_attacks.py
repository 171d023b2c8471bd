"""Attacks on a node's peer port, each in a process of its own. Support for network_hostile.py; by hand:

    peer_attacks.py NAME HOST:PORT STATUS_JSON SECONDS        (STATUS_JSON: what the node's RPC `status` tells)

Each prints one JSON object: messages and bytes sent, connections made, how they ended, and the attacker's own processor
time.
"""

import collections
import contextlib
import copy
import json
import random
import ssl
import sys
import time

from gradient_node import SOURCE
from peer_client import (BLOCK_ITEM, MAX_BLOCK_BYTES, SHARE_ITEM, TYPES, Identity, Peer, call, connect_tcp,
                         encode_message, frame, header_id, hello_fields, segment_id)

sys.path.append(str(SOURCE / "tests/reference"))
import work_chain  # noqa: E402

GONE = (ConnectionError, ssl.SSLError, OSError, TimeoutError)
# The attackers' network groups, of loopback and of net_hosts.py; more of them count up from there.
GROUPS = {True: (127, 66), False: (45, 200)}
BURST = 200
FLOODERS = 100


class Attack:
    """What an attacker knows, and counters of what it did."""

    def __init__(self, address, status, seconds, identities):
        self.address = address
        self.status = status
        self.rng = random.Random()
        self.identities = [Identity(f"attacker {i}") for i in range(identities)]
        self.end = time.monotonic() + seconds
        self.began_s = time.process_time()  # making identities costs nothing that a node must answer
        self.messages = self.bytes = self.connections = 0
        self.ends = collections.Counter()

    def lasts(self):
        return time.monotonic() < self.end

    def source(self, group=0):
        """Another address of a group each time."""
        first, second = GROUPS[self.address[0].startswith("127.")]
        return f"{first}.{second + group}.{self.rng.randrange(256)}.{self.rng.randrange(1, 255)}"

    def hello(self, **changes):
        return hello_fields(self.status, height=self.status["height"], tip=bytes.fromhex(self.status["tip"]), **changes)

    def enter(self, **changes):
        """A connection with hellos exchanged, or None."""
        self.connections += 1
        try:
            return call(self.address, self.rng.choice(self.identities), self.hello(**changes), self.source(), 5)[0]
        except GONE as error:
            self.ends[f"refused: {error}" if "goodbye" in str(error) else "refused"] += 1
            time.sleep(0.02)
            return None

    def sent(self, data, messages=1):
        self.messages += messages
        self.bytes += len(data)

    def flood(self, peer, make):
        """Sends what make() makes until the node hangs up or the time is over."""
        peer.tls.settimeout(5)
        try:
            while True:
                data = make()
                peer.send_bytes(data)
                self.sent(data)
                if not self.lasts():
                    break
        except GONE:
            pass
        self.finish(peer)

    def finish(self, peer):
        """Counts how the node ended the connection."""
        try:
            self.ends[str(peer.wait_end(timeout_s=2))] += 1
        except AssertionError:
            self.ends["kept"] += 1
        except Exception as error:  # noqa: BLE001 - what the node sent before may be cut anywhere
            self.ends[type(error).__name__] += 1
        peer.close()

    def flood_again_and_again(self, make, **hello):
        while self.lasts():
            peer = self.enter(**hello)
            if peer:
                self.flood(peer, make)

    def report(self):
        return {"messages": self.messages, "bytes": self.bytes, "connections": self.connections,
                "ends": dict(self.ends), "processor_s": time.process_time() - self.began_s}


# ------------------------------------------------------------------ below the protocol


def garbage_before_tls(attack):
    while attack.lasts():
        attack.connections += 1
        try:
            with connect_tcp(attack.address, attack.source(), 5) as connection:
                junk = attack.rng.randbytes(16_384)
                connection.sendall(junk)
                attack.sent(junk)
                connection.settimeout(2)
                while connection.recv(4096):
                    pass
                attack.ends["closed"] += 1
        except TimeoutError:
            attack.ends["kept"] += 1
        except OSError:
            attack.ends["reset"] += 1


def slow_loris(attack):
    """Handshakes and frames that never end: a byte a second. Told is how many the node still has at the end."""
    waiting = {}
    for _ in range(4):
        peer = attack.enter()
        if peer:
            waiting[peer.tls] = ("frame", frame("inventory", bytes(30_000)))
    for number in range(28):  # of seven network groups: fewer than a node shakes hands with at a time
        attack.connections += 1
        with contextlib.suppress(OSError):
            connection = connect_tcp(attack.address, attack.source(number % 7), 5)
            waiting[connection] = ("tls", b"\x16\x03\x01\x02\x00" + bytes(512))
    at = collections.Counter()
    while attack.lasts():
        for connection, (kind, data) in list(waiting.items()):
            try:
                connection.sendall(data[at[connection] : at[connection] + 1])
                at[connection] += 1
                attack.sent(b".")
                connection.settimeout(0)
                with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                    while True:
                        if not connection.recv(65536):
                            raise ConnectionError
            except (OSError, ssl.SSLError, ConnectionError):
                attack.ends[f"{kind}: closed"] += 1
                del waiting[connection]
                connection.close()
        time.sleep(1)
    for _, (kind, _) in waiting.items():
        attack.ends[f"{kind}: kept"] += 1


def connection_flood(attack):
    """A hundred strangers of one network group who come in and stay."""
    inside = []
    for number in range(FLOODERS):
        attack.connections += 1
        try:
            peer, _ = call(attack.address, attack.identities[number], attack.hello(), attack.source(), 2)
            inside.append(peer)
            attack.ends["let in"] += 1
        except GONE as error:
            attack.ends[str(error) if "goodbye" in str(error) else "refused"] += 1
        if not attack.lasts():
            break
    while attack.lasts():
        time.sleep(0.2)
    still = 0
    for peer in inside:
        try:
            peer.receive_until("ping", timeout_s=0.05)
            still += 1
        except TimeoutError:
            still += 1
        except GONE:
            pass
    attack.ends["still in"] = still


# ------------------------------------------------------------------ frames and messages


def garbage_frames(attack):
    def make():
        name = attack.rng.choice(TYPES)
        return frame(name, attack.rng.randbytes(attack.rng.randrange(200)))

    attack.flood_again_and_again(make)


def unknown_types(attack):
    attack.flood_again_and_again(lambda: (4).to_bytes(4, "little") + bytes([200]) + b"none")


def oversized_lengths(attack):
    """Frames that claim to be huge; the bytes follow as long as the node takes them."""
    def make():
        length = attack.rng.choice([MAX_BLOCK_BYTES * 2, 2**31, 2**32 - 1])
        return length.to_bytes(4, "little") + bytes([attack.rng.randrange(len(TYPES))]) + bytes(65_536)

    attack.flood_again_and_again(make)


def long_lists(attack):
    """Lists that claim more elements than their bytes can hold."""
    def make():
        name = attack.rng.choice(["headers", "inventory", "addresses", "get_headers", "outline", "parts"])
        head = bytes(260) if name == "outline" else bytes(32) if name == "parts" else b""
        return frame(name, head + b"\xfe" + (2**31).to_bytes(4, "little"))

    attack.flood_again_and_again(make)


def bombs(attack):
    """Sixteen MiB of zeros, which a compression would make of a few bytes. There is none: each byte is sent."""
    zeros = frame("block", bytes(MAX_BLOCK_BYTES))
    attack.flood_again_and_again(lambda: zeros)


def messages_before_hello(attack):
    while attack.lasts():
        attack.connections += 1
        try:
            peer = Peer(connect_tcp(attack.address, attack.source(), 5), attack.identities[0])
        except GONE:
            attack.ends["refused"] += 1
            continue
        attack.flood(peer, lambda: encode_message("get_addresses"))


def wrong_network(attack):
    attack.flood_again_and_again(lambda: encode_message("get_addresses"), genesis=bytes(32))


# ------------------------------------------------------------------ headers, blocks, shares


def invented_header(attack, parent, height):
    """A header that nobody has ground: it fails the first rule that looks at its parent."""
    template = {"version": 1, "height": height, "parent": parent, "time_ms": int(time.time() * 1000),
                "bits": 0x1D2BFBE0, "task": 0, "lane": 0}
    for name in ("settle_root", "transaction_root", "state_root", "history_root", "miner"):
        template[name] = attack.rng.randbytes(32)
    return {"template": template, "units": 20, "last_digest": attack.rng.randbytes(32)}


def header_flood(attack):
    """Full lists of invented headers, each the parent of the next, that nobody has asked for."""
    def make():
        parent = bytes.fromhex(attack.status["tip"])
        headers = []
        for step in range(BURST):
            headers.append(invented_header(attack, parent, attack.status["height"] + 1 + step))
            parent = header_id(headers[-1])
        return encode_message("headers", headers=headers)

    attack.flood_again_and_again(make)


def unknown_parents(attack):
    """Announcements of much work on blocks that do not exist, and no headers when the node asks for them."""
    attack.flood_again_and_again(lambda: encode_message("announce", cumulative_work=2**200, header=invented_header(
        attack, attack.rng.randbytes(32), attack.status["height"] + 50)))


def fetch_block(attack):
    """The victim's tip, whole."""
    while True:
        peer = attack.enter()
        if not peer:
            continue
        with peer:
            peer.send("get_block", id=bytes.fromhex(attack.status["tip"]))
            return peer.receive_until("block")[1]["block"]


def ground_header(attack, block):
    """A sibling of a real block that keeps every rule of a header: its last digest was not trained for but drawn until
    its ticket wins, which takes hashes only."""
    header = copy.deepcopy(block["header"])
    header["template"]["lane"] = attack.rng.randrange(2**32)
    target = work_chain.expand(header["template"]["bits"]) * attack.status["unit_work"]
    start, number = attack.rng.randbytes(24), 0
    while True:
        digest = start + number.to_bytes(8, "little")
        if work_chain.ticket(digest) <= target:
            header["last_digest"] = digest
            return header
        number += 1


def spoilt_body(attack, body):
    """A winner's or a share's body that is wrong in its signature, its digests, or an opening."""
    bad = copy.deepcopy(body)
    kind = attack.rng.randrange(4)
    if kind == 0:
        bad["signature"] = attack.rng.randbytes(64)
    elif kind == 1:
        bad["digests"][0] = attack.rng.randbytes(32)
    elif kind == 2:
        bad["openings"] = bad["openings"][:-1]
    else:
        state = bad["openings"][-1]["state"]
        state["difference"] = state["difference"][:-1] + bytes([state["difference"][-1] ^ 1])
    return bad


def spoilt_blocks(attack):
    """Spoilt blocks at line rate that nobody has asked for."""
    block = fetch_block(attack)
    attack.flood_again_and_again(lambda: encode_message("block", block={
        **block, "header": ground_header(attack, block), "winner": spoilt_body(attack, block["winner"])}))


def answering(attack, offer, answer):
    """Offers something, and answers what the node then asks, again and again."""
    while attack.lasts():
        peer = attack.enter()
        if not peer:
            continue
        try:
            while attack.lasts():
                data = offer()
                peer.send_bytes(data)
                attack.sent(data)
                with contextlib.suppress(TimeoutError):
                    while attack.lasts():
                        name, fields = peer.receive_until("get_headers", "get_block", "get_outline", "get_evidence",
                                                          "get_items", timeout_s=0.2)
                        data = answer(name, fields)
                        attack.ends[f"asked: {name}"] += 1
                        peer.send_bytes(data)
                        attack.sent(data)
        except GONE as error:
            if "goodbye" in str(error):
                attack.ends[str(error)] += 1
                peer.close()
                continue
        attack.finish(peer)


def forged_tips(attack):
    """Ground headers; asked for more, there is a spoilt block behind them, and no evidence."""
    block = fetch_block(attack)
    told = {}

    def offer():
        told["header"] = ground_header(attack, block)
        return encode_message("announce", header=told["header"], cumulative_work=2**100)

    def answer(name, fields):
        body = spoilt_body(attack, block["winner"])
        if name == "get_headers":
            return encode_message("headers", headers=[told["header"]])
        if name == "get_block":
            return encode_message("block", block={**block, "header": told["header"], "winner": body})
        if name == "get_outline":
            return encode_message("outline", header=told["header"], listed=[], transactions=[], winner=body)
        wanted = fields["items"][:1] if name == "get_items" else [{"kind": BLOCK_ITEM, "id": fields["id"]}]
        return encode_message("not_found", items=wanted)

    answering(attack, offer, answer)


def spoilt_shares(attack):
    """Tells of shares: one that is real, of which it has a spoilt copy, and many that it has not."""
    block = fetch_block(attack)
    template = block["header"]["template"]

    def offer():
        digests = [block["header"]["last_digest"], *(attack.rng.randbytes(32) for _ in range(BURST))]
        return encode_message("inventory", items=[{"kind": SHARE_ITEM, "id": segment_id(template, digest)}
                                                  for digest in digests])

    def answer(name, fields):
        if name != "get_items":
            return encode_message("headers", headers=[]) if name == "get_headers" else encode_message(
                "not_found", items=[{"kind": BLOCK_ITEM, "id": fields["id"]}])
        listed = [segment_id(each["template"], bytes(32)) for each in block["listed"]]
        return b"".join(encode_message("share", segment={"template": template, "listed": listed,
                                                         "body": spoilt_body(attack, block["winner"])})
                        for _ in fields["items"])

    answering(attack, offer, answer)


def inventory_flood(attack):
    """Tells of things that do not exist."""
    def make():
        return encode_message("inventory", items=[{"kind": attack.rng.randrange(2), "id": attack.rng.randbytes(32)}
                                                  for _ in range(1000)])

    attack.flood_again_and_again(make)


def never_reads(attack):
    """Asks for the biggest things there are, and never reads an answer."""
    request = encode_message("get_block", id=bytes.fromhex(attack.status["tip"])) * BURST

    while attack.lasts():
        peer = attack.enter()
        if not peer:
            continue
        peer.tls.settimeout(0.5)
        try:
            while attack.lasts():
                peer.send_bytes(request)
                attack.sent(request, BURST)
        except TimeoutError:
            while attack.lasts():  # the node does not take more: stay, and go on not reading
                time.sleep(0.1)
        except GONE:
            pass
        attack.ends["over"] += 1
        peer.close()


def request_flood(attack):
    """Asks for the same block again and again, and reads."""
    request = encode_message("get_block", id=bytes.fromhex(attack.status["tip"]))
    while attack.lasts():
        peer = attack.enter()
        if not peer:
            continue
        peer.tls.settimeout(2)
        try:
            while attack.lasts():
                peer.send_bytes(request)
                attack.sent(request)
                peer.receive_until("block", "not_found", timeout_s=2)
        except GONE:
            pass
        attack.finish(peer)


ATTACKS = {attack.__name__: attack for attack in (
    garbage_before_tls, garbage_frames, unknown_types, oversized_lengths, long_lists, bombs, messages_before_hello,
    wrong_network, header_flood, unknown_parents, forged_tips, spoilt_blocks, spoilt_shares, inventory_flood,
    never_reads, request_flood, connection_flood, slow_loris)}


def run(name, address, status, seconds):
    attack = Attack(address, status, seconds, FLOODERS if name == "connection_flood" else 6)
    ATTACKS[name](attack)
    print(json.dumps(attack.report()), flush=True)


if __name__ == "__main__":
    HOST, _, PORT = sys.argv[2].rpartition(":")
    run(sys.argv[1], (HOST, int(PORT)), json.loads(sys.argv[3]), float(sys.argv[4]))
