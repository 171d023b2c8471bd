#!/usr/bin/env python3
"""Recomputes tests/vectors/transactions.json from chain/SPEC.md and compares; --write writes it anew.

Writing is right after a change of the specification and at no other time.
"""

import json
import sys
from pathlib import Path

import transactions as rules
from work_chain import tagged

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "transactions.json"
NETWORK, BYTE_FEE, REPLAY_FEE = 77, 10, 10_000
COIN = 10**8
SHAPE = dict(rows=64, width=128, value_width=256, outputs=64, batch=8, steps_per_unit=16, causal=1, x_exponent=-8,
             y_exponent=-9, x_rate_mantissa=1, x_rate_shift=3, y_rate_mantissa=1, y_rate_shift=8, jitter=16,
             x_clip=900000, y_clip=200000, x_init=16)
TEMPLATE = dict(version=1, height=12, parent="11" * 32, time_ms=1700000005000, bits=0x1d00ffff, settle_root="44" * 32,
                transaction_root="55" * 32, state_root="33" * 32, history_root="22" * 32, task=3, miner="66" * 32,
                lane=5)


def digest(name):
    return tagged("gradient/test", name.encode()).hex()


def actions():
    to = rules.address(bytes.fromhex("77" * 32)).hex()
    chunks = [digest(f"chunk {i}") for i in range(3)]
    ends = [dict(units=u, last_digest=digest(f"end {u}"), signature=digest("r") + digest("s")) for u in (40, 41)]
    state = dict(loss=-(2**40) + 1, gradient=digest("gradient"), delta="ff0003aa")
    false_unit = dict(kind="false_unit", template=TEMPLATE, unit=17, previous_digest=digest("previous"), before=state,
                      digests=[digest(f"state {i}") for i in range(3)])
    return [
        dict(kind="transfer", to=to, amount=3 * COIN),
        dict(kind="transfer", to=to, amount=10**18),
        dict(kind="publish_data", chunk="00"),
        dict(kind="publish_data", chunk=bytes(i % 251 for i in range(252)).hex()),
        dict(kind="publish_data", chunk=bytes(i % 251 for i in range(253)).hex()),
        dict(kind="create_task", shape=SHAPE, data_bytes=150_000, chunks=chunks, unit_budget=2**40,
             pay_per_hit=COIN // 2, escrow=1000 * COIN),
        dict(kind="fund_task", task=2**32 - 1, amount=1),
        dict(kind="cancel_task", task=258),
        dict(kind="commit_fraud", commitment=digest("commitment")),
        dict(kind="reveal_fraud", commit_height=2**33 + 1, salt=digest("salt"), proof=false_unit),
        dict(kind="reveal_fraud", commit_height=9, salt=digest("salt"),
             proof=dict(kind="double_segment", template=TEMPLATE, ends=ends)),
    ]


def signed_case(number, action):
    seed = bytes.fromhex(digest(f"seed {number % 3}"))
    transaction = dict(network_id=NETWORK, sender=rules.public_key(seed).hex(), nonce=number * 1000, fee=0,
                       action=action)
    fee = rules.least_fee(transaction, BYTE_FEE, REPLAY_FEE)
    transaction["fee"] = fee
    genesis = bytes.fromhex(digest("genesis"))
    message = rules.message(genesis, transaction)
    signature = rules.sign(seed, message)
    return {"seed": seed.hex(), "genesis": genesis.hex(), "transaction": transaction, "message": message.hex(),
            "signature": signature.hex(), "encoded": (rules.encode_unsigned(transaction) + signature).hex(),
            "id": rules.transaction_id(transaction, signature).hex(), "least_fee": fee,
            "address": rules.address(bytes.fromhex(transaction["sender"])).hex()}


def task_case(case):
    parent = bytes.fromhex(digest("parent"))
    record = rules.task_record(7, case["transaction"]["action"], parent, bytes.fromhex(case["id"]))
    return {"parent": parent.hex(), "task": 7, "record": record.hex(), "digest": tagged("gradient/task", record).hex()}


def main():
    cases = [signed_case(number, action) for number, action in enumerate(actions())]
    created = next(case for case in cases if case["transaction"]["action"]["kind"] == "create_task")
    share = dict(template=TEMPLATE, digests=[digest(f"unit {i}") for i in range(5)])
    share["id"] = rules.share_id(share["template"], share["digests"]).hex()
    ids = [bytes.fromhex(case["id"]) for case in cases] + [bytes.fromhex(share["id"])]
    found = {"byte_fee": BYTE_FEE, "replay_fee": REPLAY_FEE, "signed": cases, "created": task_case(created),
             "share": share, "root": rules.merkle_root(ids).hex(), "root_of_none": rules.merkle_root([]).hex()}
    if sys.argv[1:] == ["--write"]:
        VECTORS.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
        return 0
    wanted = json.loads(VECTORS.read_text(encoding="utf-8"))
    wrong = [part for part in wanted.keys() | found.keys() if wanted.get(part) != found.get(part)]
    for part in sorted(wrong):
        print(f"{part}: the vectors differ from the specification's reading")
    print(f"transactions: {len(found) - len(wrong)} of {len(found)} parts agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
