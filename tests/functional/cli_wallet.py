#!/usr/bin/env python3
"""The wallet from the command line: a passphrase typed at a terminal, from a file, from the environment."""

import json
import os
import pty
import stat
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

GRADIENT = Path(os.environ["GRADIENT_BIN_DIR"]) / "gradient"
PASSPHRASE = "correct horse"
USAGE, DATA_DIRECTORY = 2, 4


def run(data, *arguments, passphrase=None):
    """Exit status, standard output and standard error of a command without a terminal."""
    environment = {k: v for k, v in os.environ.items() if k != "GRADIENT_PASSPHRASE"}
    if passphrase is not None:
        environment["GRADIENT_PASSPHRASE"] = passphrase
    done = subprocess.run([GRADIENT, "--data", data, "wallet", *arguments], env=environment, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, start_new_session=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def wait_for_no_echo(terminal):
    """The prompt comes a moment before the echo goes; a person is slower than that, a script is not."""
    for _ in range(500):
        if not termios.tcgetattr(terminal)[3] & termios.ECHO:
            return
        time.sleep(0.01)
    raise AssertionError("the terminal echoes while it asks for a passphrase")


def type_at_terminal(data, answers, *arguments):
    """Runs a command on a terminal of its own and answers each prompt; exit status and what was shown."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("GRADIENT_PASSPHRASE", None)
        os.execv(GRADIENT, [str(GRADIENT), "--data", str(data), "wallet", *arguments])
    shown, waiting = b"", list(answers)
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other side has closed
            break
        if not piece:
            break
        shown += piece
        if waiting and shown.rstrip().endswith(b":"):
            wait_for_no_echo(terminal)
            os.write(terminal, waiting.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


def main():
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "node"

        status, out, _ = run(data, "list")
        assert status == 0 and "No keys yet" in out, out

        status, shown = type_at_terminal(data, [PASSPHRASE, PASSPHRASE], "new", "alice")
        assert status == 0 and "grad1q" in shown, shown
        assert PASSPHRASE not in shown, "the passphrase must not be echoed"

        status, shown = type_at_terminal(data, [PASSPHRASE, "another one"], "new", "bob")
        assert status == USAGE and "differ" in shown, (status, shown)
        status, shown = type_at_terminal(data, ["short"], "new", "bob")
        assert status == USAGE, (status, shown)

        status, _, error = run(data, "new", "bob")
        assert status == USAGE and "There is no terminal" in error, error

        secret = Path(name) / "passphrase"
        secret.write_text(PASSPHRASE + "\n")
        secret.chmod(0o644)
        status, _, error = run(data, "new", "bob", "--passphrase-file", str(secret))
        assert status == USAGE and "chmod 600" in error, error
        secret.chmod(0o600)
        status, _, error = run(data, "new", "bob", "--passphrase-file", str(secret))
        assert status == 0, error
        status, _, error = run(data, "new", passphrase=PASSPHRASE)
        assert status == 0, error
        status, _, error = run(data, "new", passphrase=PASSPHRASE)
        assert status == USAGE and "already" in error, error

        status, out, _ = run(data, "list", "--json")
        keys = json.loads(out)["keys"]
        assert status == 0 and [key["name"] for key in keys] == ["alice", "bob", "default"], keys
        status, out, _ = run(data, "address", "bob")
        assert status == 0 and out == keys[1]["address"] + "\n", out

        file = data / "wallet" / "bob.key.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.write_text(file.read_text().replace('"p":1', '"p":2'))
        status, _, error = run(data, "address", "bob")
        assert status == DATA_DIRECTORY and "damaged" in error, error
        status, out, _ = run(data, "list")
        assert status == 0 and "damaged" in out and keys[0]["address"] in out, out
    return 0


if __name__ == "__main__":
    sys.exit(main())
