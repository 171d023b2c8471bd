"""Drives the real gradientd and gradient. Python's standard library only.

Every wait is an RPC long-poll or a poll with a deadline; no test sleeps for a fixed time.
"""

import base64
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(os.environ.get("GRADIENT_BIN_DIR", Path(__file__).parents[2] / "build/release/bin"))
SOURCE = Path(os.environ.get("GRADIENT_SOURCE_DIR", Path(__file__).parents[2]))

START_TIMEOUT_S = 60
CALL_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
VERIFY_TIMEOUT_S = 1800  # of a chain of thousands of blocks

# A network whose unit takes under a millisecond and whose blocks come several times a second.
TINY = ["--rows", "32", "--batch", "1", "--steps-per-unit", "1", "--interval-ms", "200", "--unit-ms", "10",
        "--units-per-hit", "2"]


class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def sample_text(size=20_000, seed=1):
    """English-looking text: enough structure to train on, the same on every machine."""
    words = ("the of and to in a is that for it as was with be by on not he his but at are this have from or had an "
             "they which one you were all her she there would their we him been has when who will no more if out so "
             "up said what its about than into them can only other time new some could these two may first then do").split()
    rng = random.Random(seed)
    out = []
    length = 0
    while length < size:
        sentence = " ".join(rng.choices(words, weights=range(len(words), 0, -1), k=rng.randint(4, 12))).capitalize() + ".\n"
        out.append(sentence)
        length += len(sentence)
    return "".join(out)


def run_cli(*arguments, expect=0, timeout=120):
    """Runs gradient; returns (stdout, stderr). The exit code must be `expect`."""
    done = subprocess.run([BIN / "gradient", *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          check=False)
    assert done.returncode == expect, f"gradient {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def init_chain(folder, options=TINY, name="chain.json", seed=1):
    """Makes a chain spec of a small text; returns its path."""
    text = folder / f"text{seed}.txt"
    text.write_text(sample_text(seed=seed))
    out = folder / name
    run_cli("init", "--text", text, "--out", out, *options)
    return out


def one_sentence(text):
    """Asserts that a failure was told in one line and not as a crash or a trace; returns the line."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    assert len(lines) == 1, f"expected one sentence on stderr, got:\n{text}"
    assert lines[0].rstrip().endswith("."), lines[0]
    assert "terminate called" not in text and "exception" not in text.lower(), text
    return lines[0]


class Node:
    """One data directory and, at times, the daemon that owns it."""

    def __init__(self, folder, chain=None, arguments=()):
        self.folder = Path(folder)
        self.chain = chain
        self.arguments = list(arguments)
        self.process = None
        self.log = self.folder.with_suffix(".log")

    def command(self, *more):
        command = [str(BIN / "gradientd"), "--data", str(self.folder)]
        if "--rpc-port" not in more:
            command += ["--rpc-port", "0"]
        # Alone unless a test says otherwise: no test meets another one's node.
        if "--port" not in [*self.arguments, *more]:
            command += ["--listen", "127.0.0.1", "--port", "0"]
        if self.chain:
            command += ["--chain", str(self.chain)]
        return command + self.arguments + list(more)

    def start(self, *more):
        """Starts the daemon and waits until it answers."""
        assert self.process is None
        endpoint = self.folder / "rpc_endpoint"
        with contextlib.suppress(FileNotFoundError):
            endpoint.unlink()
        with open(self.log, "ab") as log:
            self.process = self.launch(self.command(*more), log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"gradientd ended with {self.process.returncode}:\n{self.log_text()}")
            if endpoint.exists():
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self.rpc("status")
                    return self
            assert time.monotonic() < deadline, f"gradientd does not answer:\n{self.log_text()}"
            time.sleep(0.02)

    def launch(self, command, log):
        return subprocess.Popen(command, stdout=log, stderr=log)

    def fails_to_start(self, *more):
        """Starts the daemon, which must end by itself; returns (exit code, its one sentence)."""
        done = subprocess.run(self.command(*more), capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False)
        assert done.returncode > 0, f"exit code {done.returncode}\n{done.stderr}"
        return done.returncode, one_sentence(done.stderr)

    def log_text(self):
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    # ------------------------------------------------------------------ RPC

    def address(self):
        host, port = (self.folder / "rpc_endpoint").read_text().strip().rsplit(":", 1)
        return host.strip("[]"), int(port)

    def connection(self, timeout):
        return http.client.HTTPConnection(*self.address(), timeout=timeout)

    def authorization(self):
        cookie = (self.folder / ".cookie").read_bytes()
        return "Basic " + base64.b64encode(cookie).decode()

    def http(self, body, method="POST", path="/", headers=None, timeout=CALL_TIMEOUT_S):
        """One HTTP exchange; returns (status, body)."""
        if headers is None:
            headers = {"Authorization": self.authorization(), "Content-Type": "application/json"}
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def rpc(self, method, **params):
        status, body = self.http(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        assert status == 200, (status, body)
        answer = json.loads(body)
        if "error" in answer:
            raise RpcError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def wait_height(self, height, timeout_s=CALL_TIMEOUT_S):
        """Waits until the tip is at least that high; returns the tip's height."""
        deadline = time.monotonic() + timeout_s
        while True:
            result = self.rpc("wait_block", height=height, timeout_ms=5000)
            if result["height"] >= height:
                return result["height"]
            assert time.monotonic() < deadline, f"height {height} not reached:\n{self.log_text()}"

    def stop_mining(self):
        """Stops mining and waits until a block that was won already has found its place."""
        self.rpc("mine_stop")
        deadline = time.monotonic() + CALL_TIMEOUT_S
        while self.rpc("status")["mining"]["units_in_progress"] > 0:
            assert time.monotonic() < deadline, self.log_text()
            time.sleep(0.01)

    def tip(self):
        status = self.rpc("status")
        return status["height"], status["tip"]

    # ------------------------------------------------------------------ ends

    def wait_end(self, timeout_s=STOP_TIMEOUT_S):
        code = self.process.wait(timeout=timeout_s)
        self.process = None
        return code

    def stop(self, how=signal.SIGTERM):
        """Asks the daemon to end; its exit code must be 0."""
        self.process.send_signal(how)
        code = self.wait_end()
        assert code == 0, f"exit code {code}:\n{self.log_text()}"

    def kill(self):
        self.process.kill()
        self.wait_end()

    def verify(self, *more):
        out, _ = run_cli("verify", self.folder, "--json", *more, timeout=VERIFY_TIMEOUT_S)
        return json.loads(out)


@contextlib.contextmanager
def workspace():
    """A folder that goes when the test passes and stays when it fails."""
    folder = Path(tempfile.mkdtemp(prefix="gradient_test_"))
    nodes = []

    def node(name="data", kind=Node, **kwargs):
        made = kind(folder / name, **kwargs)
        nodes.append(made)
        return made

    try:
        yield folder, node
    except BaseException:
        for made in nodes:
            print(f"--- log of {made.folder}:\n{made.log_text()}", file=sys.stderr)
        print(f"--- kept: {folder}", file=sys.stderr)
        raise
    else:
        shutil.rmtree(folder)
    finally:
        for made in nodes:
            if made.process is not None:
                made.process.kill()
                made.process.wait()


def main(*tests):
    """Runs the tests in order, naming each."""
    for test in tests:
        began = time.monotonic()
        test()
        print(f"{test.__name__}: passed in {time.monotonic() - began:.1f} s", flush=True)
