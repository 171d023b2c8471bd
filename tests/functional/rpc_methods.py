#!/usr/bin/env python3
"""Every method of the node's OpenRPC document: a right request, wrong ones, its errors, and who may not ask.

What is right is written down here for each method; a method without it fails the test.
"""

import base64
import json

from cli_support import start_rich_node
from gradient_node import SOURCE, main, run_cli, workspace
from json_schema import check
from payer import Payer
from rpc_reference import reference
from web_socket import WebSocket

INVALID_PARAMS, NOT_FOUND, UNAVAILABLE, FORBIDDEN, UNAUTHORISED, NEEDS_WEBSOCKET = (
    -32602, -32001, -32002, -32003, -32005, -32006)
PERMISSIONS = ["read", "submit", "control"]
NOWHERE = "00" * 32

# Parameters of a request that is answered.
RIGHT = {
    "account_history": lambda w: {"address": w.payer.text, "count": 5},
    "account_show": lambda w: {"address": w.payer.text},
    "audit_status": lambda w: {},
    "ban": lambda w: {"who": "192.0.2.1", "seconds": 60},
    "bans": lambda w: {},
    "chain_list": lambda w: {"start": 0, "count": 3},
    "chain_show": lambda w: {"block": "1"},
    "chunk_known": lambda w: {"ids": NOWHERE},
    "connect_peer": lambda w: {"address": "127.0.0.1:1"},
    "disconnect_peer": lambda w: {"peer": w.peer()},
    "fee_rates": lambda w: {},
    "help": lambda w: {},
    "mine_start": lambda w: {},
    "mine_stop": lambda w: {},
    "model_parameters": lambda w: {"task": 0},
    "network": lambda w: {},
    "peers": lambda w: {},
    "proof_account": lambda w: {"address": w.payer.text},
    "proof_model": lambda w: {"task": 0},
    "proof_task": lambda w: {"task": 0},
    "rpc.discover": lambda w: {},
    "status": lambda w: {},
    "stop": lambda w: {},
    "subscribe": lambda w: {"topic": "blocks"},
    "supply": lambda w: {},
    "task_list": lambda w: {"all": True},
    "task_show": lambda w: {"task": 0},
    "transaction_show": lambda w: {"id": w.transaction},
    "transaction_submit": lambda w: {"transaction": w.next_transfer()},
    "transaction_wait": lambda w: {"id": w.transaction, "confirmations": 1, "timeout_ms": 0},
    "unban": lambda w: {"who": "192.0.2.1"},
    "unsubscribe": lambda w: {"topic": "blocks"},
    "wait_block": lambda w: {"height": 1, "timeout_ms": 0, "evaluated": False},
    "why_stuck": lambda w: {},
}

# Parameters for which a method answers an error of its own.
ERRORS = {
    ("chain_show", NOT_FOUND): lambda w: {"block": NOWHERE},
    ("disconnect_peer", NOT_FOUND): lambda w: {"peer": 10**9},
    ("model_parameters", NOT_FOUND): lambda w: {"task": 2**40},
    ("proof_model", NOT_FOUND): lambda w: {"task": 2**40},
    ("proof_task", NOT_FOUND): lambda w: {"task": 2**40},
    ("subscribe", NEEDS_WEBSOCKET): lambda w: {"topic": "blocks"},
    ("task_show", NOT_FOUND): lambda w: {"task": 7},
    ("transaction_show", NOT_FOUND): lambda w: {"id": NOWHERE},
    ("unban", NOT_FOUND): lambda w: {"who": "192.0.2.2"},
    ("unsubscribe", NEEDS_WEBSOCKET): lambda w: {"topic": "blocks"},
}
# There is no block to prove against only in the moment before the first one.
NOT_PROVOKED = {("proof_account", UNAVAILABLE), ("proof_task", UNAVAILABLE), ("proof_model", UNAVAILABLE)}

# Where a right request would change something.
HARMLESS = {"disconnect_peer": {"peer": 10**9}, "transaction_submit": {"transaction": "00"}}

# Texts that a schema allows and a method does not understand, the parameter named in the error.
MEANINGLESS = [
    ("account_show", "address", {"address": "grad1qqqqqq"}),
    ("account_history", "address", {"address": "nobody"}),
    ("ban", "who", {"who": "everybody", "seconds": 1}),
    ("chain_show", "block", {"block": "first"}),
    ("chunk_known", "ids", {"ids": "00"}),
    ("connect_peer", "address", {"address": "no port"}),
    ("proof_account", "address", {"address": ""}),
    ("transaction_submit", "transaction", {"transaction": "00"}),
    ("transaction_submit", "transaction", {"transaction": ""}),
]


class World:
    """A node that mines, with a peer, two users and coins to spend."""

    def __init__(self, folder, make):
        self.users = {}
        lines = []
        for permission in PERMISSIONS[:2]:
            out, _ = run_cli("--json", "rpc-user", f"test-{permission}", "--permission", permission)
            made = json.loads(out)
            lines += ["--rpc-user", made["line"]]
            self.users[permission] = basic(f"test-{permission}", made["password"])
        self.node = start_rich_node(folder, make, arguments=lines)
        self.users["control"] = self.node.authorization()
        self.payer = Payer(self.node)
        self.nonce = self.node.rpc("account_show", address=self.payer.text)["next_nonce"]
        self.transaction = self.submit()
        port = (self.node.folder / "peer_endpoint").read_text().strip().rsplit(":", 1)[1]
        self.other = make("other", chain=self.node.chain,
                          arguments=["--mine", "false", "--connect", f"127.0.0.1:{port}"])
        self.other.start()
        self.document = self.node.rpc("rpc.discover")
        self.methods = {method["name"]: method for method in self.document["methods"]}

    def next_transfer(self):
        identity, encoded = self.payer.transfer(self.nonce, self.payer.address, 1)
        self.nonce += 1
        self.last = identity
        return encoded

    def submit(self):
        assert self.node.rpc("transaction_submit", transaction=self.next_transfer())["accepted"]
        return self.last

    def peer(self):
        """The number of a connected peer; waits until there is one."""
        while True:
            peers = self.node.rpc("peers")
            if peers:
                return peers[0]["peer"]
            self.node.rpc("wait_block", height=10**9, timeout_ms=50)

    def request(self, method, params):
        return {"jsonrpc": "2.0", "id": method, "method": method, "params": params}

    def post(self, request, permission="control"):
        """The answer to a request or a batch by a user of that permission."""
        status, body = self.node.http(json.dumps(request), headers={"Authorization": self.users[permission]})
        assert status == 200, (status, body)
        return json.loads(body)

    def error(self, method, params, permission="control"):
        answer = self.post(self.request(method, params), permission)
        assert "error" in answer and answer["id"] == method, (method, params, answer)
        return answer["error"]


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def wrong_values(schema):
    """Values that a parameter's schema does not allow."""
    kind = schema["type"]
    if kind == "integer":
        wrong = ["1", -1, 1.5, True, [], {}, 2**64, 1e30]
        if "maximum" in schema:
            wrong.append(schema["maximum"] + 1)
        if schema["minimum"] > 0:
            wrong.append(schema["minimum"] - 1)
        return wrong
    if kind == "boolean":
        return ["true", 0, 1, [], {}]
    assert kind == "string", schema
    wrong = [1, True, [], {}, ["a"]]
    if "enum" in schema:
        wrong.append("no such choice")
    if "maxLength" in schema:
        wrong.append("x" * (schema["maxLength"] + 1))
    pattern = schema.get("pattern", "")
    if pattern == "^[0-9a-fA-F]{64}$":
        wrong += ["", "0" * 63, "g" * 64]
    elif pattern.startswith("^([0-9a-fA-F]{2})"):
        wrong += ["0", "zz"]
    return wrong


def document_is_well_formed(world):
    document = world.document
    assert document["openrpc"] == "1.2.6" and document["info"]["title"] and document["info"]["version"]
    names = [method["name"] for method in document["methods"]]
    assert names == sorted(set(names)), names
    assert names == [method["name"] for method in world.node.rpc("help")]
    assert set(names) == set(RIGHT), set(names) ^ set(RIGHT)
    for method in document["methods"]:
        assert method["summary"].endswith("."), method["name"]
        assert method["x-permission"] in PERMISSIONS, method["name"]
        assert method["result"]["name"] and method["result"]["schema"], method["name"]
        assert method["paramStructure"] == "either"
        # By position, what may be left out comes last.
        needs = [parameter["required"] for parameter in method["params"]]
        assert needs == sorted(needs, reverse=True), method["name"]
        for parameter in method["params"]:
            assert parameter["description"] and parameter["schema"]["type"], method["name"]
            assert not (parameter["required"] and "default" in parameter["schema"]), method["name"]
    status, body = world.node.http(None, method="GET", path="/openrpc.json")
    assert status == 200 and json.loads(body) == document


def right_requests_are_answered(world):
    with WebSocket(world.node) as socket:
        for name, params_of in RIGHT.items():
            if name == "stop":
                continue
            params = params_of(world)
            if name in ("subscribe", "unsubscribe"):
                answer = socket.call(name, **params)
            else:
                answer = world.post(world.request(name, params))
            assert "result" in answer, (name, params, answer)
            check(answer["result"], world.methods[name]["result"]["schema"], name)
    for name in ("chain_list", "chain_show", "task_show", "wait_block"):
        given = RIGHT[name](world)
        in_order = [given[parameter["name"]] for parameter in world.methods[name]["params"]]
        answer = world.post(world.request(name, in_order))
        check(answer["result"], world.methods[name]["result"]["schema"], name)
    world.node.rpc("mine_start")


def wrong_parameters_are_named(world):
    for name, method in world.methods.items():
        right = HARMLESS.get(name) or RIGHT[name](world)
        unknown = world.error(name, {**right, "no_such": 1})
        assert unknown["code"] == INVALID_PARAMS and unknown["data"]["parameter"] == "no_such", (name, unknown)
        for parameter in method["params"]:
            for value in wrong_values(parameter["schema"]):
                error = world.error(name, {**right, parameter["name"]: value})
                assert error["code"] == INVALID_PARAMS, (name, parameter["name"], value, error)
                assert error["data"]["parameter"] == parameter["name"], (name, value, error)
                assert error["message"].startswith(parameter["name"]), (name, value, error)
            if parameter["required"]:
                for less in ({n: v for n, v in right.items() if n != parameter["name"]},
                             {**right, parameter["name"]: None}):
                    error = world.error(name, less)
                    assert error["code"] == INVALID_PARAMS, (name, less, error)
                    assert error["data"]["parameter"] == parameter["name"], (name, less, error)
        too_many = world.error(name, [None] * len(method["params"]) + [1])
        assert too_many["code"] == INVALID_PARAMS, (name, too_many)
        assert world.error(name, "text")["code"] == -32600, name
    for name, parameter, params in MEANINGLESS:
        error = world.error(name, params)
        assert error["code"] == INVALID_PARAMS and error["data"]["parameter"] == parameter, (name, params, error)


def documented_errors_are_answered(world):
    documented = {(name, error["code"]) for name, method in world.methods.items() for error in method["errors"]}
    assert documented - NOT_PROVOKED == set(ERRORS), documented ^ set(ERRORS)
    for (name, code), params_of in ERRORS.items():
        error = world.error(name, params_of(world))
        assert error["code"] == code and error["message"].endswith("."), (name, error)


def permissions_are_asked_for(world):
    for name, method in world.methods.items():
        needed = PERMISSIONS.index(method["x-permission"])
        for permission in PERMISSIONS[:2]:
            if PERMISSIONS.index(permission) < needed:
                # Even what is wrong with it is not told.
                for params in ({}, {"no_such": 1}):
                    assert world.error(name, params, permission)["code"] == FORBIDDEN, (name, permission)
            elif name != "disconnect_peer":
                answer = world.post(world.request(name, RIGHT[name](world)), permission)
                assert answer.get("error", {}).get("code") in (None, NEEDS_WEBSOCKET), (name, answer)
    assert world.node.rpc("status")["height"] > 0


def strangers_learn_nothing(world):
    wrong = [None, "", "Basic", "Basic !", basic("test-read", "wrong"), basic("nobody", "x"), basic("", ""),
             basic("gradient", "0" * 64), world.users["read"][:-2], world.users["read"].replace("Basic", "Bearer")]
    for name in world.methods:
        body = json.dumps(world.request(name, {}))
        for value in wrong if name == "status" else wrong[:2]:
            headers = {} if value is None else {"Authorization": value}
            status, answer = world.node.http(body, headers=headers)
            answer = json.loads(answer)
            assert status == 401 and answer["error"]["code"] == UNAUTHORISED and answer["id"] is None, (name, answer)
            assert set(answer) == {"jsonrpc", "id", "error"}, answer


def batches_hold_everything(world):
    skipped = {"stop", "mine_stop", "transaction_submit", "disconnect_peer", "connect_peer"}
    batch = []
    for name in sorted(set(RIGHT) - skipped):
        batch.append(world.request(name, RIGHT[name](world)))
    batch.append(world.request("no_such_method", {}))
    batch.append({"jsonrpc": "2.0", "method": "status"})
    batch.append(7)
    answers = world.post(batch)
    assert len(answers) == len(batch) - 1
    by_id = {answer["id"]: answer for answer in answers}
    for name in set(RIGHT) - skipped - {"subscribe", "unsubscribe", "unban"}:
        check(by_id[name]["result"], world.methods[name]["result"]["schema"], name)
    assert by_id["no_such_method"]["error"]["code"] == -32601 and by_id[None]["error"]["code"] == -32600
    as_reader = world.post([world.request("status", {}), world.request("mine_stop", {})], "read")
    assert "result" in as_reader[0] and as_reader[1]["error"]["code"] == FORBIDDEN


def secrets_stay_out_of_the_log(world):
    log = world.node.log.read_text(errors="replace")
    for header in world.users.values():
        credentials = base64.b64decode(header.split()[1]).decode()
        assert header.split()[1] not in log and credentials.split(":")[1] not in log


def the_reference_is_fresh(world):
    file = SOURCE / "node/RPC.md"
    assert file.read_text() == reference(world.document, file.read_text()), (
        "node/RPC.md is stale: run tests/functional/rpc_reference.py --write")


def stopping(world):
    answer = world.post(world.request("stop", {}))
    check(answer["result"], world.methods["stop"]["result"]["schema"])
    assert world.node.wait_end() == 0


def every_method():
    with workspace() as (folder, make):
        world = World(folder, make)
        for step in (document_is_well_formed, right_requests_are_answered, wrong_parameters_are_named,
                     documented_errors_are_answered, permissions_are_asked_for, strangers_learn_nothing,
                     batches_hold_everything, secrets_stay_out_of_the_log, the_reference_is_fresh, stopping):
            step(world)
            print(f"  {step.__name__}: {len(world.methods)} methods", flush=True)
        world.other.stop()


if __name__ == "__main__":
    main(every_method)
