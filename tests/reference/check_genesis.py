#!/usr/bin/env python3
"""Derives the genesis block of a tiny chain spec from chain/SPEC.md sections 1, 5, 14, 15 and 18, not from the C++, and
compares with tests/vectors/genesis.json; --write writes it anew, right after a change of the specification and at no
other time.
"""

import base64
import json
import sys
from decimal import Decimal
from pathlib import Path

import attention
import unit
from work_chain import expand, header_id, model_digest, number, tagged

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "genesis.json"
COIN = 10**8
TEXT = "".join(f"line {i}: what is written twice is read with more care. " for i in range(100)).encode()
PARAMS = [("interval_ms", 8), ("half_life_ms", 8), ("max_bits", 4), ("max_future_ms", 8), ("genesis_time_ms", 8),
          ("genesis_bits", 4), ("max_units", 4), ("max_hits", 4), ("hits_per_win", 4), ("units_per_hit", 4),
          ("guards", 4), ("max_segment_bytes", 4), ("max_block_bytes", 4), ("block_reward", 8), ("hit_reward", 8),
          ("halving_blocks", 8), ("full_pay_units", 4), ("maturity_blocks", 4),
          ("cut_divisor", 4), ("byte_fee", 8), ("replay_fee", 8), ("fraud_deposit", 8), ("task_weight", 8),
          ("max_task_creations", 4), ("max_unit_work", 8), ("held_out_sequences", 4)]
AMOUNTS = {"block_reward", "hit_reward", "byte_fee", "replay_fee", "fraud_deposit", "task_weight"}
MODEL = [("rows", 2), ("width", 2), ("value_width", 2), ("outputs", 2), ("batch", 2), ("steps_per_unit", 2),
         ("causal", 1), ("x_exponent", 1), ("y_exponent", 1), ("x_rate_mantissa", 1), ("x_rate_shift", 1),
         ("y_rate_mantissa", 1), ("y_rate_shift", 1), ("jitter", 2), ("x_clip", 4), ("y_clip", 4), ("x_init", 2)]


def little(value, size):
    return value.to_bytes(size, "little", signed=value < 0)


def merkle_root(hashes):
    level = [tagged("gradient/merkle/leaf", x) for x in hashes]
    if not level:
        return tagged("gradient/merkle/empty")
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [tagged("gradient/merkle/node", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


def data_root(data):
    return merkle_root([tagged("gradient/data-chunk", data[i : i + 65536]) for i in range(0, len(data), 65536)])


def state_root(entries):
    leaves = [(tagged("gradient/state/key", key), tagged("gradient/state/value", value))
              for key, value in entries.items()]

    def subtree(part, depth):
        if not part:
            return bytes(32)
        if len(part) == 1:
            return tagged("gradient/state/leaf", *part[0])
        sides = [[leaf for leaf in part if number(leaf[0]) >> (255 - depth) & 1 == bit] for bit in (0, 1)]
        return tagged("gradient/state/branch", *(subtree(side, depth + 1) for side in sides))

    return subtree(leaves, 0)


def params_bytes(params):
    def value(name):
        if name in ("max_bits", "genesis_bits"):
            return int(params[name], 16)
        return int(Decimal(params[name]) * COIN) if name in AMOUNTS else params[name]

    return b"".join(little(value(name), size) for name, size in PARAMS)


def derive(spec):
    params, name = spec["params"], spec["name"].encode()
    shape = b"".join(little(spec["model"][field], size) for field, size in MODEL)
    data = base64.b64decode(spec["data"]["base64"])
    root = data_root(data)
    digest = tagged("gradient/chain-spec", little(1, 4), little(len(name), 1), name, params_bytes(params), shape,
                    little(1, 1), root, little(len(data), 8), little(spec["network_id"], 4))
    seed = tagged("gradient/genesis-model", digest)
    theta = unit.initial_parameters(attention.AttentionConfig(**spec["model"]), seed)

    task = little(0, 4)
    record = task + little(1, 2) + shape + little(1, 1) + root + little(len(data), 8) + seed + bytes(16)
    entries = {bytes([3]) + task: record, bytes([4]) + task: model_digest(theta) + bytes(56),
               bytes([5]) + task: b"".join(little(x, 4) for x in theta), bytes([8]): bytes(16), bytes([12]): little(1, 4) + bytes(2)}
    nothing, state = merkle_root([]).hex(), state_root(entries)
    history = tagged("gradient/mmr/root", little(0, 8), bytes(128))
    time, bits = params["genesis_time_ms"], int(params["genesis_bits"], 16)
    template = dict(version=1, height=0, parent=digest.hex(), time_ms=time, bits=bits, settle_root=nothing,
                    transaction_root=nothing, state_root=state.hex(), history_root=history.hex(), task=0,
                    miner=bytes(32).hex(), lane=0)
    block = header_id(template, 0, bytes(32))

    work = bytes(32) + little(2**256 // (expand(bits) + 1), 32)
    leaf = tagged("gradient/mmr/leaf", block, little(0, 8), little(time, 8), work)
    peak = leaf + bytes(16) + little(time, 8) * 2 + work
    assert len(record) == 126 and len(peak) == 128
    return {"spec_digest": digest.hex(), "data_root": root.hex(), "initial_seed": seed.hex(), "state_root": state.hex(),
            "history_root": history.hex(), "id": block.hex(),
            "history_root_of_children": tagged("gradient/mmr/root", little(1, 8), peak).hex()}


def tiny_spec():
    params = dict(interval_ms=1000, half_life_ms=2**40, max_bits="207fffff", max_future_ms=30000,
                  genesis_time_ms=1700000000000, genesis_bits="1d00ffff", max_units=4096, max_hits=128, hits_per_win=2,
                  units_per_hit=2, guards=2, max_segment_bytes=7340032, max_block_bytes=8388608, block_reward="10",
                  hit_reward="40", halving_blocks=12623040, full_pay_units=128, maturity_blocks=3, cut_divisor=16,
                  byte_fee="0.0000001", replay_fee="0.0001", fraud_deposit="1", task_weight="0.625",
                  max_task_creations=4, max_unit_work=2**40, held_out_sequences=32)
    model = dict(rows=32, width=128, value_width=256, outputs=64, batch=1, steps_per_unit=1, causal=1, x_exponent=-8,
                 y_exponent=-9, x_rate_mantissa=1, x_rate_shift=3, y_rate_mantissa=1, y_rate_shift=8, jitter=16,
                 x_clip=900000, y_clip=200000, x_init=16)
    data = dict(format="text", bytes=len(TEXT), root=data_root(TEXT).hex(), base64=base64.b64encode(TEXT).decode())
    return dict(version=1, name="tiny", network_id=7, params=params, model=model, data=data)


def main():
    if sys.argv[1:] == ["--write"]:
        found = {"spec": tiny_spec(), "expect": derive(tiny_spec())}
        VECTORS.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
        return 0
    known = json.loads(VECTORS.read_text(encoding="utf-8"))
    found = derive(known["spec"])
    wrong = [name for name in found if found[name] != known["expect"].get(name)]
    for name in wrong:
        print(f"genesis: {name} is {found[name]}, the vector has {known['expect'].get(name)}")
    return 1 if wrong or len(found) != len(known["expect"]) else 0


if __name__ == "__main__":
    sys.exit(main())
