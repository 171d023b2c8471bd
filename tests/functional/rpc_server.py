#!/usr/bin/env python3
"""The RPC's HTTP side: who is let in, TLS, browsers, and everything that is too large, too slow or too much."""

import base64
import contextlib
import http.client
import json
import socket
import ssl
import subprocess
import time

from gradient_node import CALL_TIMEOUT_S, Node, init_chain, main, run_cli, workspace
from web_socket import Refused, WebSocket

USAGE = 2


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def request(method="status", **params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def quiet_node(folder, make, *arguments, **more):
    node = make(chain=init_chain(folder), arguments=["--mine", "false", *map(str, arguments)], **more)
    node.start()
    return node


def refused(node, body, status, code, **more):
    """The exchange must end with that HTTP status and a JSON-RPC error of that code."""
    got, answer = node.http(body, **more)
    assert got == status, (got, answer)
    answer = json.loads(answer)
    assert set(answer) == {"jsonrpc", "id", "error"} and answer["id"] is None, answer
    assert answer["error"]["code"] == code and answer["error"]["message"].endswith("."), answer


def users():
    with workspace() as (folder, make):
        out, _ = run_cli("rpc-user", "ann", "--permission", "submit")
        line = next(text.split("=", 1)[1] for text in out.splitlines() if text.startswith("rpc-user="))
        password = next(text.split()[-1] for text in out.splitlines() if text.startswith("password"))
        assert password not in line and len(password) == 64, out
        other = json.loads(run_cli("--json", "rpc-user", "bob")[0])
        assert other["permission"] == "read" and other["line"].startswith("bob:read:"), other
        # From the settings file, several of them.
        node = make(chain=init_chain(folder))
        node.folder.mkdir(mode=0o700)
        (node.folder / "gradient.conf").write_text(f"mine=false\nrpc-user={line}\nrpc-user={other['line']}\n")
        node.start()
        assert node.http(request(), headers={"Authorization": basic("ann", password)})[0] == 200
        assert node.http(request(), headers={"Authorization": basic("bob", other["password"])})[0] == 200
        for user, word in (("ann", other["password"]), ("ann", password[:-1]), ("ann", ""), ("", password), ("ann", password + "0"),
                           ("Ann", password)):
            refused(node, request(), 401, -32005, headers={"Authorization": basic(user, word)})
        status, answer = node.http(request("stop"), headers={"Authorization": basic("ann", password)})
        assert status == 200 and json.loads(answer)["error"]["code"] == -32003, answer
        # A wrong password ends the connection; a right one keeps it.
        connection = node.connection(CALL_TIMEOUT_S)
        for _ in range(3):
            connection.request("POST", "/", request(), {"Authorization": basic("ann", password)})
            answer = connection.getresponse()
            assert answer.status == 200 and json.loads(answer.read())["result"]["height"] == 0
            assert not answer.will_close
        connection.request("POST", "/", request(), {"Authorization": basic("ann", "x")})
        assert connection.getresponse().will_close
        connection.close()
        node.stop()
        for wrong in ("ann", "ann:read", "ann:write:00$" + "0" * 64, "ann:read:00$0", "ann:read:$" + "0" * 64, "gradient:read:00$" + "0" * 64,
                      "a b:read:00$" + "0" * 64):
            code, sentence = node.fails_to_start("--rpc-user", wrong)
            assert code == USAGE and wrong[-20:] not in sentence, (wrong, sentence)
        code, sentence = node.fails_to_start("--rpc-user", line, "--rpc-user", line)
        assert code == USAGE and "two users" in sentence, sentence
        run_cli("rpc-user", "gradient", expect=USAGE)
        run_cli("rpc-user", "a b", expect=USAGE)
        run_cli("rpc-user", "ann", "--permission", "all", expect=USAGE)


def browsers():
    with workspace() as (folder, make):
        node = quiet_node(folder, make, "--rpc-host", "node.example.org")
        right = {"Authorization": node.authorization()}
        for host in ("localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:9420", "192.0.2.7:1", "node.example.org:9420", "Node.Example.org"):
            assert node.http(request(), headers={**right, "Host": host})[0] == 200, host
        for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:9420", "node.example.org.evil", "[evil]", " "):
            refused(node, request(), 400 if host == " " else 403, -32600 if host == " " else -32003, headers={**right, "Host": host})
        for origin in ("http://evil.example", "null", "", "http://localhost.evil.example", "http://localhost:1", "file://", "localhost"):
            refused(node, request(), 403, -32003, headers={**right, "Host": "localhost:9420", "Origin": origin})
            with_socket(node, 403, {"Host": "localhost:9420", "Origin": origin})
        for origin in ("http://localhost:9420", "https://LOCALHOST:9420"):
            assert node.http(request(), headers={**right, "Host": "localhost:9420", "Origin": origin})[0] == 200
        # No permission for pages of others is ever given.
        connection = node.connection(CALL_TIMEOUT_S)
        connection.request("OPTIONS", "/", headers={**right, "Access-Control-Request-Method": "POST"})
        answer = connection.getresponse()
        names = [name.lower() for name, _ in answer.getheaders()]
        assert answer.status == 405 and not any(name.startswith("access-control") for name in names), names
        connection.close()
        node.stop()


def with_socket(node, status, headers, path="/ws"):
    try:
        WebSocket(node, headers, path=path).close()
    except Refused as refusal:
        assert refusal.status == status, refusal
        assert json.loads(refusal.body)["id"] is None, refusal
    else:
        raise AssertionError(f"a socket was opened: {headers}")


def paths():
    with workspace() as (folder, make):
        node = quiet_node(folder, make)
        right = {"Authorization": node.authorization()}
        refused(node, None, 404, -32001, method="GET", path="/nothing", headers=right)
        refused(node, None, 405, -32600, method="GET", path="/", headers=right)
        refused(node, "{}", 405, -32600, path="/openrpc.json", headers=right)
        refused(node, None, 405, -32600, method="GET", path="/ws", headers=right)
        refused(node, None, 401, -32005, method="GET", path="/openrpc.json", headers={})
        refused(node, None, 401, -32005, method="GET", path="/nothing", headers={})
        status, body = node.http(None, method="GET", path="/openrpc.json?x=1", headers=right)
        assert status == 200 and json.loads(body)["openrpc"] == "1.2.6"
        with_socket(node, 401, {"Authorization": None})
        with_socket(node, 401, {"Authorization": basic("gradient", "0" * 64)})
        with_socket(node, 404, {}, path="/other")
        node.stop()


def connect(node, timeout=60):
    return socket.create_connection(node.address(), timeout=timeout)


def head_of(node, length):
    return (f"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {node.authorization()}\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def closed_after(connection, began):
    """Reads until the other side closes; returns the seconds since `began`."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(4096):
            pass
    return time.monotonic() - began


def slow_and_many():
    with workspace() as (folder, make):
        node = quiet_node(folder, make)
        began = time.monotonic()
        # A body that never comes to its end, a head that does not, and a known caller's second body.
        body, head, known = connect(node), connect(node), connect(node)
        body.sendall(head_of(node, 100) + b"{")
        head.sendall(b"POST / HTTP/1.1\r\n")
        known.sendall(head_of(node, len(request())) + request().encode())
        assert b" 200 " in known.recv(65536)
        known.sendall(head_of(node, 100) + b"{")
        for connection in (body, head):
            assert 8 < closed_after(connection, began) < 20
        assert 25 < closed_after(known, began) < 45
        # Strangers make room for others, the oldest first; who has shown credentials stays.
        known = connect(node)
        known.sendall(head_of(node, len(request())) + request().encode())
        assert b" 200 " in known.recv(65536)
        began = time.monotonic()
        strangers = [connect(node) for _ in range(200)]
        assert node.rpc("status")["height"] == 0
        assert closed_after(strangers[0], began) < 8
        known.sendall(head_of(node, len(request())) + request().encode())
        assert b" 200 " in known.recv(65536)
        for connection in strangers:
            connection.close()
        # So do those of known callers that ask nothing now, once there are no strangers.
        resting = []
        for _ in range(65):
            resting.append(connect(node))
            resting[-1].sendall(head_of(node, len(request())) + request().encode())
            assert b" 200 " in resting[-1].recv(65536)
        assert node.rpc("status")["height"] == 0
        for one in resting:
            one.close()
        # Sockets leave room for requests.
        sockets = [WebSocket(node) for _ in range(32)]
        with_socket(node, 503, {})
        assert node.rpc("status")["height"] == 0
        assert sockets[-1].call("status")["result"]["height"] == 0
        for one in sockets:
            one.close()
        node.stop()


def texts():
    """What is no JSON, or too deep, or too long, or no request: on HTTP and on a socket the same."""
    with workspace() as (folder, make):
        node = quiet_node(folder, make)
        with WebSocket(node) as web:
            def code_of(text):
                status, answer = node.http(text)
                assert status == 200, (status, answer)
                web.send(text)
                assert web.read() == json.loads(answer)
                return json.loads(answer)["error"]["code"]
            deep = request()[:-2] + '"x":' + "[" * 20 + "]" * 20 + "}}"
            for text in ("", "{", "nul", '{"a":1,}', "[" * 100_000, deep, " " * 1000, '{"a":"\\ud800"', "1 2", "\0"):
                assert code_of(text) == -32700, text[:50]
            for text in ("17", "null", '"x"', "[]", "{}", "[" + ",".join(["1"] * 65) + "]", '{"jsonrpc":"2.0","method":5,"id":1}',
                         '{"jsonrpc":"2.0","id":1}', '{"jsonrpc":2.0,"id":1,"method":"status"}', '{"id":1,"method":"status"}',
                         '{"jsonrpc":"2.0","id":{},"method":"status"}', '{"jsonrpc":"2.0","id":1.5,"method":"status"}'):
                assert code_of(text) == -32600, text[:50]
            assert code_of('{"jsonrpc":"2.0","id":1,"method":"Status"}') == -32601
            web.send("[1, 2]")
            assert [one["error"]["code"] for one in web.read()] == [-32600, -32600]
            web.send({"jsonrpc": "2.0", "method": "status"})  # a notification: no answer
            assert web.call("wait_block", height=0, timeout_ms=0)["result"]["ready"]
        status, answer = node.http(json.dumps([{"jsonrpc": "2.0", "method": "status"}] * 64))
        assert (status, answer) == (204, b""), (status, answer)
        body = json.dumps([json.loads(request())] * 64)
        assert len(json.loads(node.http(body)[1])) == 64
        # Answers of a batch are bounded together.
        big = json.dumps([json.loads(request("rpc.discover"))] * 64)
        answer = node.http(big)[1]
        assert len(answer) < (17 << 20), len(answer)
        # The largest body is taken, one byte more is not.
        padded = request() + " " * ((1 << 20) - len(request()))
        assert json.loads(node.http(padded)[1])["result"]["height"] == 0
        refused(node, padded + " ", 413, -32600)
        node.stop()


def make_certificate(folder, name, *more):
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                    "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", *more], check=True, capture_output=True)
    return certificate, key


class TlsNode(Node):
    """A node whose RPC speaks TLS with a certificate that is its own authority."""

    certificate = None

    def context(self):
        return ssl.create_default_context(cafile=self.certificate)

    def connection(self, timeout):
        return http.client.HTTPSConnection(*self.address(), timeout=timeout, context=self.context())


def tls():
    with workspace() as (folder, make):
        certificate, key = make_certificate(folder, "right")
        files = ["--rpc-tls-certificate", certificate, "--rpc-tls-key", key]
        TlsNode.certificate = certificate
        node = quiet_node(folder, make, *files, kind=TlsNode)
        assert node.rpc("status")["height"] == 0
        refused(node, request(), 401, -32005, headers={})
        assert (node.folder / "rpc_certificate.pem").read_bytes() == certificate.read_bytes()
        # The command line goes by the certificate that the node has left.
        assert json.loads(run_cli("--data", node.folder, "--json", "status")[0])["height"] == 0
        with WebSocket(node, wrap=lambda s: node.context().wrap_socket(s, server_hostname="localhost")) as web:
            assert web.call("subscribe", topic="blocks")["result"] == {"topics": ["blocks"]}
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        for hello in (old, None):
            with connect(node) as plain, contextlib.suppress(OSError):
                if hello:
                    hello.wrap_socket(plain)
                    raise AssertionError("an old TLS was taken")
                plain.sendall(head_of(node, 2) + b"{}")
                assert b"HTTP" not in plain.recv(4096)
        assert node.rpc("status")["height"] == 0
        impostor, _ = make_certificate(folder, "impostor")
        (node.folder / "rpc_certificate.pem").write_bytes(impostor.read_bytes())
        run_cli("--data", node.folder, "status", expect=5)
        node.stop()
        assert not (node.folder / "rpc_certificate.pem").exists()

        other, other_key = make_certificate(folder, "other")
        locked = folder / "locked.key"
        subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked], check=True, capture_output=True)
        (folder / "empty").write_text("")
        node.arguments = ["--mine", "false"]
        for pair, named, remedy in (((folder / "none", key), "none", "No such file"), ((certificate, folder / "none"), "none", "No such file"),
                                    ((key, key), "right.key", "BEGIN CERTIFICATE"), ((certificate, certificate), "right.crt", "--rpc-tls-key"),
                                    ((certificate, other_key), "other.key", "does not belong"), ((certificate, locked), "locked.key", "passphrase"),
                                    ((folder / "empty", key), "empty", "PEM"), ((certificate, folder), str(folder), "")):
            code, sentence = node.fails_to_start("--rpc-tls-certificate", str(pair[0]), "--rpc-tls-key", str(pair[1]))
            assert code == USAGE and named in sentence and remedy in sentence, sentence
        assert other.exists()
        done = subprocess.run(node.command("--rpc-tls-key", str(key)), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == USAGE and "--rpc-tls-certificate" in done.stderr, done.stderr


def addresses():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder), arguments=["--mine", "false"])
        for address in ("0.0.0.0", "::"):
            code, sentence = node.fails_to_start("--rpc-address", address)
            assert code == USAGE and "--rpc-allow-plain" in sentence and "--rpc-tls-certificate" in sentence, sentence
        for address in ("127.0.0.1", "127.0.0.2", "::1"):
            try:
                node.start("--rpc-address", address)
            except AssertionError as error:
                if address == "::1" and "Cannot listen" in str(error):
                    node.process = None
                    continue  # a machine without IPv6
                raise
            assert json.loads(run_cli("--data", node.folder, "--json", "status")[0])["height"] == 0
            node.stop()


if __name__ == "__main__":
    main(users, browsers, paths, texts, tls, addresses, slow_and_many)
