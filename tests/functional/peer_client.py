"""The protocol between peers a second time, in plain Python, written from node/SPEC.md: transport, frames, messages.

Python's ssl module speaks TLS, the openssl program makes the certificate. Run by itself, it checks itself against a
server of its own.
"""

import contextlib
import hashlib
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ALPN = "gradient/1"
PROTOCOL_VERSION = 1
FRAME_HEAD_BYTES = 5
MIB = 1 << 20
MAX_BLOCK_BYTES = 16 * MIB
ED25519_HEAD = bytes.fromhex("302a300506032b6570032100")  # what stands before an Ed25519 key in a certificate


class CodecError(Exception):
    """Bytes that are no encoding of what they should be."""


# ------------------------------------------------------------------ encoding (chain/SPEC.md section 1)


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        if size > len(self.data) - self.at:
            raise CodecError("bytes missing")
        self.at += size
        return self.data[self.at - size : self.at]

    def compact(self):
        first = self.take(1)[0]
        if first < 0xFD:
            return first
        size = 1 << (first - 0xFC)
        value = int.from_bytes(self.take(size), "little")
        if value < (0xFD if size == 2 else 1 << (4 * size)):
            raise CodecError("a longer form than needed")
        return value

    def end(self):
        if self.at != len(self.data):
            raise CodecError("bytes left over")


def compact(value):
    if value < 0xFD:
        return bytes([value])
    size = 2 if value < 1 << 16 else 4 if value < 1 << 32 else 8
    return bytes([{2: 0xFD, 4: 0xFE, 8: 0xFF}[size]]) + value.to_bytes(size, "little")


class Integer:
    def __init__(self, size, signed=False):
        self.size, self.signed = size, signed

    def encode(self, value):
        return value.to_bytes(self.size, "little", signed=self.signed)

    def decode(self, reader):
        return int.from_bytes(reader.take(self.size), "little", signed=self.signed)


class Fixed:
    """So many bytes."""

    def __init__(self, size):
        self.size = size

    def encode(self, value):
        assert len(value) == self.size, (len(value), self.size)
        return bytes(value)

    def decode(self, reader):
        return reader.take(self.size)


class Blob:
    """A list of bytes."""

    @staticmethod
    def encode(value):
        return compact(len(value)) + value

    @staticmethod
    def decode(reader):
        return reader.take(reader.compact())


class List:
    def __init__(self, element):
        self.element = element

    def encode(self, values):
        return compact(len(values)) + b"".join(map(self.element.encode, values))

    def decode(self, reader):
        count = reader.compact()
        if count > len(reader.data):  # an element has a byte at least
            raise CodecError("bytes missing")
        return [self.element.decode(reader) for _ in range(count)]


class Struct:
    """Named fields, as a dict."""

    def __init__(self, **fields):
        self.fields = fields

    def encode(self, value):
        assert set(value) == set(self.fields), (sorted(value), sorted(self.fields))
        return b"".join(codec.encode(value[name]) for name, codec in self.fields.items())

    def decode(self, reader):
        return {name: codec.decode(reader) for name, codec in self.fields.items()}


class Variant:
    """One of several, as (name, value); its number is a byte."""

    def __init__(self, **choices):
        self.choices = choices

    def encode(self, value):
        name, content = value
        return bytes([list(self.choices).index(name)]) + self.choices[name].encode(content)

    def decode(self, reader):
        number = reader.take(1)[0]
        if number >= len(self.choices):
            raise CodecError("unknown value")
        name = list(self.choices)[number]
        return name, self.choices[name].decode(reader)


def encode(codec, value):
    return codec.encode(value)


def decode(codec, data):
    reader = Reader(data)
    value = codec.decode(reader)
    reader.end()
    return value


# ------------------------------------------------------------------ the chain's types (chain/SPEC.md sections 2 to 4)

U8, U16, U32, U64, I64 = Integer(1), Integer(2), Integer(4), Integer(8), Integer(8, signed=True)
HASH = Fixed(32)
WORK = Integer(32)
AMOUNT = U64

TEMPLATE = Struct(version=U32, height=U64, parent=HASH, time_ms=U64, bits=U32, settle_root=HASH, transaction_root=HASH,
                  state_root=HASH, history_root=HASH, task=U32, miner=HASH, lane=U32)
HEADER = Struct(template=TEMPLATE, units=U32, last_digest=HASH)
STATE = Struct(loss=I64, gradient=HASH, difference=Blob)
OPENING = Struct(unit=U32, state=STATE)
BODY = Struct(digests=List(HASH), openings=List(OPENING), signature=Fixed(64))
SEGMENT = Struct(template=TEMPLATE, listed=List(HASH), body=BODY)
# Only the kinds that scripts send; what else a block holds can't be read by this client.
ACTION = Variant(transfer=Struct(to=Fixed(33), amount=AMOUNT), publish_data=Struct(chunk=Blob))
SIGNED = Struct(network_id=U32, sender=HASH, nonce=U64, fee=AMOUNT, action=ACTION, signature=Fixed(64))
TRANSACTION = Variant(signed=SIGNED, share=SEGMENT)
BLOCK = Struct(header=HEADER, listed=List(SEGMENT), transactions=List(TRANSACTION), winner=BODY)


def tagged(tag, *parts):
    """H("tag", a, b, ..) of chain/SPEC.md section 1."""
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + b"".join(parts)).digest()


def header_id(header):
    return tagged("gradient/header", HEADER.encode(header))


def segment_id(template, last_digest):
    return tagged("gradient/segment", tagged("gradient/template", TEMPLATE.encode(template)), last_digest)


# ------------------------------------------------------------------ messages

TRANSACTION_ITEM, SHARE_ITEM, BLOCK_ITEM = range(3)
GOODBYE_REASONS = ["shutdown", "wrong_network", "self", "already_connected", "too_many_peers", "banned", "misbehaviour",
                   "too_slow", "timeout"]

TIP = Struct(height=U64, id=HASH, cumulative_work=WORK)
ADDRESS = Struct(ip=Fixed(16), port=U16, services=U32, last_seen_s=U64)
ITEM = Struct(kind=U8, id=HASH)

# In the order of their types. Evidence, samples and tails stay bytes: nothing here looks into them.
MESSAGES = {
    "hello": Struct(protocol_version=U32, network_id=U32, genesis=HASH, services=U32, time_ms=U64, listen_port=U16,
                    tip=TIP, agent=Blob),
    "ping": Struct(nonce=U64, tip=TIP),
    "pong": Struct(nonce=U64),
    "goodbye": Struct(reason=U8),
    "get_addresses": Struct(),
    "addresses": Struct(addresses=List(ADDRESS)),
    "announce": Struct(header=HEADER, cumulative_work=WORK),
    "get_headers": Struct(locator=List(HASH)),
    "headers": Struct(headers=List(HEADER)),
    "get_block": Struct(id=HASH),
    "block": Struct(block=BLOCK),
    "get_outline": Struct(id=HASH),
    "outline": Struct(header=HEADER, listed=List(HASH), transactions=List(ITEM), winner=BODY),
    "get_parts": Struct(block=HASH, listed=List(U32), transactions=List(U32)),
    "parts": Struct(block=HASH, listed=List(SEGMENT), transactions=List(TRANSACTION)),
    "inventory": Struct(items=List(ITEM)),
    "get_items": Struct(items=List(ITEM)),
    "transaction": Struct(transaction=SIGNED),
    "share": Struct(segment=SEGMENT),
    "not_found": Struct(items=List(ITEM)),
    "get_samples": Struct(anchor=HASH, works=List(WORK)),
    "samples": None,
    "get_evidence": Struct(id=HASH),
    "evidence": None,
    "get_task_data": Struct(task=U32, chunk=U32),
    "task_data": Struct(task=U32, chunk=U32, bytes=Blob),
    "get_snapshot": Struct(),
    "snapshot_offer": Struct(height=U64, block=HASH, state_root=HASH, size_bytes=U64, parts=List(HASH)),
    "get_snapshot_part": Struct(part=HASH),
    "snapshot_part": Struct(part=HASH, bytes=Blob),
    "get_tail": Struct(tip=HASH, blocks=U32),
    "tail": None,
}
TYPES = list(MESSAGES)


def frame(name, payload):
    return struct.pack("<IB", len(payload), TYPES.index(name)) + payload


def encode_message(name, **fields):
    return frame(name, MESSAGES[name].encode(fields))


def decode_message(number, payload):
    """(name, fields); fields of a message that this client does not read are its bytes."""
    if number >= len(TYPES):
        raise CodecError(f"there is no message of type {number}")
    name = TYPES[number]
    return name, payload if MESSAGES[name] is None else decode(MESSAGES[name], payload)


# ------------------------------------------------------------------ identity and transport


class Identity:
    """A key and its self-signed certificate, as files in a folder that goes with the object."""

    def __init__(self, name="peer"):
        self.folder = tempfile.TemporaryDirectory(prefix="gradient_identity_")
        self.key = Path(self.folder.name) / "key.pem"
        self.certificate = Path(self.folder.name) / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", self.key, "-out",
                        self.certificate, "-subj", f"/CN={name}", "-days", "3650"], check=True, capture_output=True)
        self.public = certificate_key(ssl.PEM_cert_to_DER_cert(self.certificate.read_text()))

    def context(self, protocol=ssl.PROTOCOL_TLS_CLIENT):
        made = ssl.SSLContext(protocol)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE  # no authority vouches for anybody; the key is looked at instead
        made.minimum_version = ssl.TLSVersion.TLSv1_3
        made.set_alpn_protocols([ALPN])
        made.load_cert_chain(self.certificate, self.key)
        return made


def certificate_key(certificate):
    """The Ed25519 key in a certificate."""
    at = certificate.find(ED25519_HEAD)
    assert at >= 0, "the certificate has no Ed25519 key"
    return certificate[at + len(ED25519_HEAD) : at + len(ED25519_HEAD) + 32]


def connect_tcp(address, source=None, timeout_s=10):
    """`source`: the own address; on loopback every 127.x.y.z serves as one."""
    return socket.create_connection(address, timeout=timeout_s, source_address=(source, 0) if source else None)


class Peer:
    """One connection. Frames are read and written whole; nothing is answered by itself unless keep() runs."""

    def __init__(self, connection, identity, server_side=False):
        context = identity.context(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
        self.tls = context.wrap_socket(connection, server_side=server_side)
        assert self.tls.version() == "TLSv1.3" and self.tls.selected_alpn_protocol() == ALPN
        shown = self.tls.getpeercert(binary_form=True)
        self.node = certificate_key(shown) if shown else None
        self.sent = self.received = 0
        self.lock = threading.Lock()
        self.unread = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.tls.close()

    def send_bytes(self, data):
        with self.lock:
            self.tls.sendall(data)
        self.sent += len(data)

    def send(self, name, **fields):
        self.send_bytes(encode_message(name, **fields))

    def fill(self, size):
        """Reads until so many bytes wait; what came before a timeout is kept."""
        while len(self.unread) < size:
            more = self.tls.recv(1 << 18)
            if not more:
                raise ConnectionError("the other side has closed the connection")
            self.received += len(more)
            self.unread += more

    def receive(self):
        """The next message as (name, fields)."""
        self.fill(FRAME_HEAD_BYTES)
        length, number = struct.unpack("<IB", self.unread[:FRAME_HEAD_BYTES])
        if length > MAX_BLOCK_BYTES + MIB:
            raise CodecError(f"a frame of {length} bytes")
        self.fill(FRAME_HEAD_BYTES + length)
        payload = bytes(self.unread[FRAME_HEAD_BYTES : FRAME_HEAD_BYTES + length])
        del self.unread[: FRAME_HEAD_BYTES + length]
        return decode_message(number, payload)

    def receive_until(self, *names, timeout_s=30):
        """The next message of one of these names; pings on the way are answered, all else is passed over."""
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no {' or '.join(names)} came")
            self.tls.settimeout(left)
            name, fields = self.receive()
            if name in names:
                return name, fields
            if name == "ping":
                self.send("pong", nonce=fields["nonce"])
            if name == "goodbye":
                raise ConnectionError(f"goodbye: {GOODBYE_REASONS[fields['reason']]}")

    def wait_end(self, timeout_s=30):
        """Reads until the other side ends the connection; returns its reason, None if it gave none."""
        deadline = time.monotonic() + timeout_s
        reason = None
        try:
            while True:
                self.tls.settimeout(max(0.01, deadline - time.monotonic()))
                name, fields = self.receive()
                if name == "goodbye":
                    reason = GOODBYE_REASONS[fields["reason"]]
        except TimeoutError:
            raise AssertionError("the other side keeps the connection") from None
        except (ConnectionError, ssl.SSLError, OSError):
            return reason


def hello_fields(status, height=0, tip=None, work=0, **changes):
    """A hello to a node whose status (RPC) this is, by one that has nothing but genesis unless told."""
    genesis = bytes.fromhex(status["genesis"])
    return {"protocol_version": PROTOCOL_VERSION, "network_id": status["network_id"], "genesis": genesis, "services": 0,
            "time_ms": int(time.time() * 1000), "listen_port": 0,
            "tip": {"height": height, "id": tip or genesis, "cumulative_work": work}, "agent": b"peer_client/1",
            **changes}


def call(address, identity, hello, source=None, timeout_s=10):
    """Connects, says hello, and returns (peer, the other side's hello)."""
    peer = Peer(connect_tcp(address, source, timeout_s), identity)
    try:
        peer.send("hello", **hello)
        _, theirs = peer.receive_until("hello", timeout_s=timeout_s)
    except BaseException:
        peer.close()
        raise
    return peer, theirs


# ------------------------------------------------------------------ checks of this file itself


def example(codec):
    """Some value of a type."""
    if isinstance(codec, Integer):
        return 1 << (8 * codec.size - 2)
    if isinstance(codec, Fixed):
        return bytes(range(codec.size))
    if codec is Blob:
        return b"blob" * 100
    if isinstance(codec, List):
        return [example(codec.element)] * 300
    if isinstance(codec, Variant):
        name = next(iter(codec.choices))
        return name, example(codec.choices[name])
    return {name: example(each) for name, each in codec.fields.items()}


def bytes_of_the_specification():
    assert encode_message("pong", nonce=0x0102030405060708).hex() == "08000000020807060504030201"
    assert encode_message("get_snapshot").hex() == "000000001a"
    assert encode_message("goodbye", reason=6).hex() == "010000000306"
    assert len(HEADER.encode(example(HEADER))) == 260 and len(TEMPLATE.encode(example(TEMPLATE))) == 224
    assert len(TIP.encode(example(TIP))) == 72 and len(ADDRESS.encode(example(ADDRESS))) == 30
    assert len(TYPES) == 32
    assert [compact(n).hex() for n in (0, 0xFC, 0xFD, 0xFFFF, 1 << 16, 1 << 32)] == [
        "00", "fc", "fdfd00", "fdffff", "fe00000100", "ff0000000001000000"]


def every_message_comes_back():
    for number, (name, codec) in enumerate(MESSAGES.items()):
        if codec is None:
            continue
        fields = example(codec)
        made = encode_message(name, **fields)
        assert made[4] == number
        assert decode_message(number, made[FRAME_HEAD_BYTES:]) == (name, fields), name
        for wrong in (made[FRAME_HEAD_BYTES:] + b"\0", made[FRAME_HEAD_BYTES:-1]):
            if len(made) == FRAME_HEAD_BYTES and not wrong:
                continue
            try:
                decode_message(number, wrong)
            except CodecError:
                continue
            raise AssertionError(f"{name}: a wrong payload was read")
    for wrong in ("fd0000", "fdfc00", "fe00000000", "feffff0000"):
        try:
            Reader(bytes.fromhex(wrong)).compact()
        except CodecError:
            continue
        raise AssertionError(f"{wrong} was read")


def two_clients_talk():
    ours, theirs = Identity(), Identity("other")
    server = socket.create_server(("127.0.0.1", 0))
    seen = []

    def serve():
        connection, source = server.accept()
        with Peer(connection, theirs, server_side=True) as peer:
            seen.append((source[0], peer.receive()))
            peer.send("hello", **seen[0][1][1])
            peer.send("ping", nonce=7, tip=seen[0][1][1]["tip"])
            seen.append(peer.receive())
            peer.send("goodbye", reason=GOODBYE_REASONS.index("misbehaviour"))

    thread = threading.Thread(target=serve)
    thread.start()
    hello = hello_fields({"genesis": "11" * 32, "network_id": 5}, height=3, work=1 << 200)
    peer, answer = call(server.getsockname(), ours, hello, source="127.9.8.7")
    with peer:
        assert answer == hello and peer.node == theirs.public != ours.public
        assert peer.receive() == ("ping", {"nonce": 7, "tip": hello["tip"]})
        peer.send("pong", nonce=7)
        assert peer.wait_end() == "misbehaviour"
    thread.join()
    server.close()
    assert seen == [("127.9.8.7", ("hello", hello)), ("pong", {"nonce": 7})]


if __name__ == "__main__":
    for check in (bytes_of_the_specification, every_message_comes_back, two_clients_talk):
        check()
        print(f"{check.__name__}: passed", flush=True)
    sys.exit(0)
