#!/usr/bin/env python3
"""The RPC's answers, and that whatever is thrown at it gets an error and leaves the node well."""

import base64
import json
import socket
import stat

from gradient_node import RpcError, init_chain, main, run_cli, workspace

BODY_LIMIT = 1 << 20

def call(method, params=None, **extra):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, **extra}
    if params is not None:
        request["params"] = params
    return json.dumps(request)


def code_of(node, body):
    status, answer = node.http(body)
    assert status == 200, (status, answer)
    answer = json.loads(answer)
    assert "result" not in answer, answer
    return answer["error"]["code"]


def answers():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(5)

        status = node.rpc("status")
        assert status["height"] >= 5 and len(status["tip"]) == 64 and len(status["genesis"]) == 64, status
        assert status["mining"]["active"] is True and status["mining"]["lanes"] == 1, status
        assert status["mining"]["units_computed"] >= status["mining"]["units_in_blocks"] > 0, status
        assert 0 < status["mining"]["useful_fraction"] <= 1, status
        assert status["mining"]["restart_ms_last"] > 0 and status["mining"]["restart_ms_median"] > 0, status
        assert 0 < status["chain"]["verification_ratio"] <= 1, status
        assert status["progress_efficiency"] == 1, status
        audit = node.rpc("audit_status")
        # Nobody else mines here: there is nothing to audit.
        assert audit["fraction"] == 0.1 and audit["segments_audited"] == audit["proofs_found"] == 0, audit
        assert audit == status["audit"], (audit, status["audit"])

        page = node.rpc("chain_list", start=1, count=3)["blocks"]
        assert [b["height"] for b in page] == [1, 2, 3], page
        assert page[1]["parent"] == page[0]["id"]
        newest = node.rpc("chain_list")["blocks"]
        assert newest[-1]["height"] >= 5
        shown = node.rpc("chain_show", block=page[1]["id"])
        assert shown["height"] == 2 and shown["units"] >= 1 and shown["hits"] >= 1, shown
        assert shown["late_shares"] == 0, shown
        assert shown["replayed"] >= shown["hits"], shown
        assert node.rpc("chain_show", block="2")["id"] == page[1]["id"]

        task = node.rpc("task_show", task=0)
        assert task["parameters"] > 0 and task["unit_work"] > 0, task
        model = node.rpc("model_parameters", task=0)
        assert len(base64.b64decode(model["parameters"])) == 4 * task["parameters"]

        node.stop_mining()
        assert node.rpc("status")["mining"]["active"] is False
        height, tip = node.tip()
        result = node.rpc("wait_block", height=height + 1, timeout_ms=300)
        assert result["height"] == height, (result, height)
        node.rpc("mine_start")
        node.wait_height(height + 1)

        batch = json.dumps([json.loads(call("status")), json.loads(call("nothing"))])
        code, body = node.http(batch)
        assert code == 200 and [set(a) - {"jsonrpc", "id"} for a in json.loads(body)] == [{"result"}, {"error"}]

        out, _ = run_cli("--data", node.folder, "status", "--json")
        assert json.loads(out)["genesis"] == status["genesis"]
        for command in (["status"], ["chain", "list"], ["chain", "show", "1"], ["task", "show"]):
            out, _ = run_cli("--data", node.folder, *command)
            assert out.strip(), command
            out, _ = run_cli("--data", node.folder, *command, "--json")
            json.loads(out)
        node.stop()


def wrong_calls():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(1)
        for params in ({"block": 1}, {"block": None}, {}, [], ["1", 2], {"blok": "1"}, {"block": ["1"]}):
            assert code_of(node, call("chain_show", params)) == -32602, params
        for block in ("", "x", "-1", "99999999", "ff" * 32, "0" * 63, "1 ", "18446744073709551616"):
            assert code_of(node, call("chain_show", {"block": block})) in (-32001, -32602), block
        for params in ({"start": -1}, {"start": "1"}, {"count": 1.5}, {"count": 10**30}, {"count": 0}, {"count": 10**6}):
            assert code_of(node, call("chain_list", params)) == -32602, params
        assert node.rpc("chain_list", start=10**9)["blocks"] == []
        assert code_of(node, call("task_show", {"task": 7})) == -32001
        assert code_of(node, call("model_parameters", {"task": 2**40})) in (-32001, -32602)
        assert code_of(node, call("wait_block", {"height": 1, "timeout_ms": 10**9})) == -32602
        assert code_of(node, call("no_such_method")) == -32601
        assert code_of(node, call("status", 5)) == -32600
        assert code_of(node, json.dumps({"id": 1, "method": "status"})) == -32600
        assert code_of(node, "{") == -32700
        assert code_of(node, "") == -32700
        assert code_of(node, "[" * 100_000) == -32700
        assert code_of(node, b"\xff\xfe\x00") == -32700
        assert node.rpc("status")["height"] >= 1
        node.stop()


def strangers_are_refused():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        mode = stat.S_IMODE((node.folder / ".cookie").stat().st_mode)
        assert mode == 0o600, oct(mode)
        key_mode = stat.S_IMODE((node.folder / "miner.key").stat().st_mode)
        assert key_mode == 0o600, oct(key_mode)
        right = node.authorization()
        for wrong in (None, "", "Basic", "Basic ", right[:-2], right + "A", right.replace("Basic", "Bearer"),
                      "Basic " + base64.b64encode(b"gradient:" + b"0" * 64).decode()):
            headers = {} if wrong is None else {"Authorization": wrong}
            status, body = node.http(call("stop"), headers=headers)
            assert status == 401 and b"height" not in body, (wrong, status)
        status, _ = node.http(None, method="GET")
        assert status == 405, status
        status, _ = node.http(call("status"), path="/other")
        assert status == 404, status
        first_cookie = right
        node.stop()
        node.start()
        assert node.authorization() != first_cookie
        status, _ = node.http(call("status"), headers={"Authorization": first_cookie})
        assert status == 401, status
        node.stop()


def raw(node, data, read=True):
    """Sends bytes as they are; returns the first line of the answer."""
    with socket.create_connection(node.address(), timeout=30) as connection:
        try:
            connection.sendall(data)
            return connection.recv(4096).split(b"\r\n")[0] if read else b""
        except (ConnectionResetError, BrokenPipeError):
            return b"closed"


def hostile_bytes():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {node.authorization()}\r\n".encode()
        assert b"413" in raw(node, head + b"Content-Length: 999999999999\r\n\r\n")
        status, _ = node.http(b"x" * (BODY_LIMIT + 1))
        assert status == 413, status
        assert code_of(node, b" " * (BODY_LIMIT - 1)) == -32700
        assert b"431" in raw(node, b"POST / HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n")
        for junk in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\r\n" * 5000, b"POST / HTTP/9.9\r\n\r\n",
                     head + b"Content-Length: -5\r\n\r\n", head + b"Content-Length: x\r\n\r\n",
                     head + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n"):
            line = raw(node, junk)
            assert line == b"closed" or line == b"" or b" 400 " in line + b" ", (junk[:40], line)
        # More connections than are served at a time, none asking anything: the oldest make room, and the node answers.
        idle = [socket.create_connection(node.address(), timeout=30) for _ in range(100)]
        assert node.rpc("status")["height"] >= 0
        assert idle[0].recv(1) == b""
        for connection in idle:
            connection.close()
        node.wait_height(2)
        node.stop()


def stops_while_somebody_waits():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        with socket.create_connection(node.address(), timeout=30) as waiting:
            body = call("wait_block", {"height": 10**9, "timeout_ms": 60_000}).encode()
            waiting.sendall(f"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {node.authorization()}\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            node.stop()
        try:
            node.rpc("status")
        except (OSError, RpcError):
            pass
        else:
            raise AssertionError("a stopped node answered")


if __name__ == "__main__":
    main(answers, wrong_calls, strangers_are_refused, hostile_bytes, stops_while_somebody_waits)
