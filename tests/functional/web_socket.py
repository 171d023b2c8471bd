"""A small WebSocket client (RFC 6455): text messages, ping, close. Python's standard library only."""

import base64
import hashlib
import json
import os
import socket
import struct
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body!r}")
        self.status = status
        self.body = body


class Closed(Exception):
    """The other side has closed, with code and reason if it gave any."""

    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class WebSocket:
    def __init__(self, node, headers=None, path="/ws", timeout=60, receive_buffer=None, wrap=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(node.address())
        if wrap:
            self.socket = wrap(self.socket)
        self.data = b""
        self.next_id = 0
        self.events = []
        self.pings = 0
        self.answer_pings = True
        key = base64.b64encode(os.urandom(16))
        lines = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": key.decode(), "Authorization": node.authorization(), **(headers or {})}
        head = f"GET {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items() if v is not None) + "\r\n"
        self.socket.sendall(head.encode())
        while b"\r\n\r\n" not in self.data:
            self.more()
        answer, self.data = self.data.split(b"\r\n\r\n", 1)
        status = int(answer.split()[1])
        if status != 101:
            length = int(dict(line.lower().split(b": ") for line in answer.split(b"\r\n")[1:])[b"content-length"])
            raise Refused(status, self.take(length))
        expected = base64.b64encode(hashlib.sha1(key + GUID).digest())
        assert expected in answer, answer

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise Closed(None, "end of stream")
        self.data += got

    def take(self, size):
        while len(self.data) < size:
            self.more()
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    # ------------------------------------------------------------------ frames

    def send_frame(self, kind, payload, last=True):
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([(128 if last else 0) | kind])
        if size < 126:
            head += bytes([128 | size])
        elif size < 65536:
            head += bytes([128 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([128 | 127]) + struct.pack(">Q", size)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(head + mask + masked)

    def read_frame(self):
        first, second = self.take(2)
        size = second & 127
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first, self.take(size)

    def read_text(self):
        """The next text message; answers pings on the way."""
        text = b""
        while True:
            first, payload = self.read_frame()
            kind = first & 15
            if kind == PING:
                self.pings += 1
                if self.answer_pings:
                    self.send_frame(PONG, payload)
            elif kind == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None
                raise Closed(code, payload[2:].decode())
            elif kind in (0, TEXT):
                text += payload
                if first & 128:
                    return text.decode()

    # ------------------------------------------------------------------ JSON-RPC

    def send(self, value):
        self.send_frame(TEXT, (value if isinstance(value, str) else json.dumps(value)).encode())

    def read(self):
        """The next answer; events that come before it are kept."""
        while True:
            message = json.loads(self.read_text())
            if isinstance(message, dict) and message.get("method") == "event":
                self.events.append(message)
            else:
                return message

    def call(self, method, **params):
        self.next_id += 1
        self.send({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params})
        answer = self.read()
        assert answer["id"] == self.next_id, answer
        return answer

    def event(self, topic, name=None, timeout_s=60):
        """The parameters of the next event of a topic, of that name if one is given."""
        deadline = time.monotonic() + timeout_s
        while True:
            for i, kept in enumerate(self.events):
                params = kept["params"]
                if params["topic"] == topic and name in (None, params["event"]):
                    del self.events[i]
                    return params
            assert time.monotonic() < deadline, f"no event of {topic}"
            message = json.loads(self.read_text())
            assert message.get("method") == "event", message
            assert set(message) == {"jsonrpc", "method", "params"}, message
            self.events.append(message)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
