#!/usr/bin/env python3
"""Recomputes every vector under tests/vectors/model_*.json from model/SPEC.md and compares.

Usage: check_vectors.py [NAME ...]        names of files without .json; default: all
"""

import json
import sys
import time
from pathlib import Path

import aes_ctr
from cases import expected

VECTORS = Path(__file__).resolve().parent.parent / "vectors"


def differences(path, wanted, found):
    """Where two JSON values differ."""
    if isinstance(wanted, dict) and isinstance(found, dict) and wanted.keys() == found.keys():
        for key in wanted:
            yield from differences(f"{path}.{key}", wanted[key], found[key])
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for i, pair in enumerate(zip(wanted, found)):
            yield from differences(f"{path}[{i}]", *pair)
    elif wanted != found:
        yield f"{path}: vector has {wanted}, reference has {found}"


def check_aes(content):
    for block in content["blocks"]:
        keys = aes_ctr.expand_key(bytes.fromhex(block["key"]))
        cipher = aes_ctr.encrypt_block(keys, bytes.fromhex(block["plain"])).hex()
        yield from differences(block["source"], block["cipher"], cipher)
    for one in content["rounds"]:
        state = aes_ctr.aesenc(bytes.fromhex(one["state"]), bytes.fromhex(one["key"])).hex()
        yield from differences(one["source"], one["result"], state)
    for stream in content["streams"]:
        drawn = aes_ctr.stream_bytes(bytes.fromhex(stream["seed"]), stream["step"],
                                     stream["stream"], len(stream["bytes"]) // 2)
        yield from differences(f"stream {stream['stream']}", stream["bytes"], drawn.hex())


def check_file(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    if path.stem == "model_aes":
        yield from check_aes(content)
        return
    for case in content["cases"]:
        yield from differences(case["name"], case["expected"], expected(case))


def main():
    names = sys.argv[1:] or sorted(path.stem for path in VECTORS.glob("model_*.json"))
    failed = not names
    for name in names:
        begin = time.monotonic()
        problems = list(check_file(VECTORS / f"{name}.json"))
        for problem in problems:
            print(problem)
        verdict = f"{len(problems)} differences" if problems else "agrees"
        print(f"{name}: {verdict} ({time.monotonic() - begin:.1f} s)")
        failed = failed or bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
