#!/usr/bin/env python3
"""Events on WebSockets: each topic as the OpenRPC document describes it, and who reads too slowly or not at all."""

import json

from cli_support import start_rich_node
from gradient_node import init_chain, main, workspace
from json_schema import check
from payer import Payer
from web_socket import CLOSE, PING, PONG, Closed, WebSocket

TOPICS = ["blocks", "tasks", "mining", "transactions", "peers"]


def topics_of(node):
    return {topic["name"]: topic["schema"] for topic in node.rpc("rpc.discover")["x-topics"]}


def subscribed(node, *topics, **more):
    web = WebSocket(node, **more)
    for topic in topics:
        assert topic in web.call("subscribe", topic=topic)["result"]["topics"]
    return web


def every_topic():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        schemas = topics_of(node)
        assert list(schemas) == TOPICS
        with subscribed(node, *TOPICS) as web:
            tip = web.event("blocks", "tip")
            check(tip, schemas["blocks"])
            after = web.event("blocks", "tip")
            assert after["undone"] == [] and after["redone"] == [after["block"]["id"]], after
            assert after["block"]["parent"] == tip["block"]["id"] and after["block"]["height"] == tip["block"]["height"] + 1
            assert after["block"]["size_bytes"] > 0, after
            shown = node.rpc("chain_show", block=after["block"]["id"])
            assert {name: shown[name] for name in ("height", "units", "hits", "loss", "state_root")} == {
                name: after["block"][name] for name in ("height", "units", "hits", "loss", "state_root")}
            while True:
                loss = web.event("tasks", "loss")
                check(loss, schemas["tasks"])
                assert loss["task"] == 0 and loss["units"] > 0, loss
                if loss["loss"] is not None:  # a block of one unit opens nothing that has one
                    break
            assert loss["loss"] > 0, loss
            scored = web.event("tasks", "held_out")
            check(scored, schemas["tasks"])
            assert scored["held_out"]["brier"] > 0, scored
            won = web.event("mining", "win")
            check(won, schemas["mining"])
            assert node.rpc("chain_show", block=won["block"])["height"] == won["height"]

            payer = Payer(node)
            nonce = node.rpc("account_show", address=payer.text)["next_nonce"]
            identity, encoded = payer.transfer(nonce, payer.address, 1)
            assert web.call("transaction_submit", transaction=encoded)["result"]["accepted"]
            pooled = web.event("transactions")
            check(pooled, schemas["transactions"])
            assert pooled["id"] == identity and pooled["transaction"]["kind"] == "transfer", pooled

            port = (node.folder / "peer_endpoint").read_text().strip().rsplit(":", 1)[1]
            other = make("other", chain=node.chain, arguments=["--mine", "false", "--connect", f"127.0.0.1:{port}"])
            other.start()
            joined = web.event("peers", "joined")
            check(joined, schemas["peers"])
            assert joined["node"] == other.rpc("network")["node"], joined
            other.stop()
            left = web.event("peers", "left")
            check(left, schemas["peers"])
            assert left["peer"] == joined["peer"], left

            # Only what is subscribed to is told.
            for topic in TOPICS[1:]:
                assert topic not in web.call("unsubscribe", topic=topic)["result"]["topics"]
            web.events.clear()
            for _ in range(3):
                web.event("blocks")
            assert {kept["params"]["topic"] for kept in web.events} <= {"blocks"}, web.events
        node.stop()


def a_change_of_branch():
    with workspace() as (folder, make):
        chain = init_chain(folder)
        nodes = [make(f"node{i}", chain=chain) for i in range(2)]
        for node in nodes:
            node.start()
            node.wait_height(2)
            node.stop_mining()
        weak, strong = sorted(nodes, key=lambda node: int(tip_work(node)))
        with subscribed(weak, "blocks") as web:
            old = weak.tip()
            port = (strong.folder / "peer_endpoint").read_text().strip().rsplit(":", 1)[1]
            weak.rpc("connect_peer", address=f"127.0.0.1:{port}")
            event = web.event("blocks", "reorganisation")
            check(event, topics_of(weak)["blocks"])
            assert event["undone"][0] == old[1] and event["redone"][-1] == event["block"]["id"], event
        for node in nodes:
            node.stop()


def tip_work(node):
    return node.rpc("chain_show", block=str(node.rpc("status")["height"]))["cumulative_work"]


def requests_side_by_side():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder), arguments=["--mine", "false"])
        node.start()
        with WebSocket(node) as web:
            web.send({"jsonrpc": "2.0", "id": "slow", "method": "wait_block", "params": {"height": 10**9, "timeout_ms": 60_000}})
            assert web.call("status")["result"]["height"] == 0  # while the other waits
            for number in range(20):
                web.send({"jsonrpc": "2.0", "id": number, "method": "wait_block", "params": {"height": 10**9, "timeout_ms": 60_000}})
            for _ in range(5):  # fifteen more may wait, not twenty
                answer = web.read()
                assert answer["error"]["code"] == -32002, answer
            # One that goes leaves nothing behind.
        with WebSocket(node) as web:
            assert web.call("status")["result"]["height"] == 0
            web.send_frame(1, b'{"jsonrpc":"2.0",', last=False)
            web.send_frame(0, b'"id":5,"method":"help"}')
            assert web.read()["id"] == 5
            web.send_frame(8, b"\x03\xe8bye")
            try:
                web.read()
            except Closed as closed:
                assert closed.code == 1000, closed
            else:
                raise AssertionError("the socket was not closed")
        for junk in (b"\xff" * 100, b"\x81\x05hello"):  # reserved bits; a frame without a mask
            with WebSocket(node) as web:
                web.socket.sendall(junk)
                try:
                    web.read()
                except (Closed, ConnectionError):
                    pass
                else:
                    raise AssertionError("junk was answered")
        with WebSocket(node) as web:
            web.send_frame(1, b" " * ((1 << 20) + 1))
            try:
                web.read()
            except Closed as closed:
                assert closed.code == 1009, closed
            else:
                raise AssertionError("a message was too large and was answered")
        assert node.rpc("status")["height"] == 0
        node.stop()


def slow_readers_are_left():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder), arguments=["--mine", "false"])
        node.start()
        document = len(json.dumps(node.rpc("rpc.discover")))
        with WebSocket(node, receive_buffer=4096) as web:
            for number in range((24 << 20) // document):
                web.send({"jsonrpc": "2.0", "id": number, "method": "rpc.discover"})
            try:
                while True:
                    web.read()
            except Closed as closed:
                assert closed.code == 1008 and closed.reason.startswith("too slow"), closed
        with WebSocket(node, receive_buffer=4096) as web:  # this one reads nothing at all
            web.socket.settimeout(30)
            try:
                while True:
                    web.send({"jsonrpc": "2.0", "id": 0, "method": "rpc.discover"})
            except (ConnectionError, TimeoutError):
                pass
        assert node.rpc("status")["height"] == 0
        node.stop()


def pings():
    """A socket that says nothing is pinged, and closed if it does not answer; takes a minute."""
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder), arguments=["--mine", "false"])
        node.start()
        with WebSocket(node) as alive, WebSocket(node) as dead:
            for number in range(2):
                first, payload = alive.read_frame()
                assert first & 15 == PING, (number, first)
                alive.send_frame(PONG, payload)
            first, _ = dead.read_frame()
            assert first & 15 == PING, first
            try:
                first, _ = dead.read_frame()
                assert first & 15 == CLOSE, first
            except (Closed, ConnectionError):
                pass
            assert alive.call("status")["result"]["height"] == 0
        node.stop()


def the_end_of_the_node_closes_sockets():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        with subscribed(node, *TOPICS) as web:
            web.event("blocks")
            node.stop()
            try:
                while True:
                    web.read_text()
            except Closed as closed:
                assert closed.code == 1001, closed


if __name__ == "__main__":
    main(every_topic, a_change_of_branch, requests_side_by_side, slow_readers_are_left, the_end_of_the_node_closes_sockets, pings)
