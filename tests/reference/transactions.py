"""Signed transactions a second time: encoding, ids, signatures, and what a created task is made of.

Written from chain/SPEC.md sections 1, 2, 4, 5 and 21, not from the C++. Signatures are RFC 8032's, slow and plain.
"""

import hashlib

from work_chain import TEMPLATE, encode_template, tagged, template_hash

SHAPE = [("rows", 2), ("width", 2), ("value_width", 2), ("outputs", 2), ("batch", 2), ("steps_per_unit", 2),
         ("causal", 1), ("x_exponent", 1), ("y_exponent", 1), ("x_rate_mantissa", 1), ("x_rate_shift", 1),
         ("y_rate_mantissa", 1), ("y_rate_shift", 1), ("jitter", 2), ("x_clip", 4), ("y_clip", 4), ("x_init", 2)]
ACTIONS = ["transfer", "publish_data", "create_task", "fund_task", "cancel_task", "commit_fraud", "reveal_fraud"]
PROOFS = ["false_unit", "double_segment"]
assert sum(size for _, size in SHAPE) == 31 and sum(size for _, size in TEMPLATE) == 224


def little(value, size):
    return value.to_bytes(size, "little", signed=value < 0)


def compact(value):
    if value < 0xfd:
        return little(value, 1)
    size = 2 if value < 2**16 else 4 if value < 2**32 else 8
    return bytes([{2: 0xfd, 4: 0xfe, 8: 0xff}[size]]) + little(value, size)


def raw(text):
    return bytes.fromhex(text)


def sized(data):
    return compact(len(data)) + data


def hashes(texts):
    return compact(len(texts)) + b"".join(map(raw, texts))


def merkle_root(leaves):
    level = [tagged("gradient/merkle/leaf", leaf) for leaf in leaves]
    if not level:
        return tagged("gradient/merkle/empty")
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [tagged("gradient/merkle/node", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


# -------------------------------------------------------------------------------------- encoding


def address(key):
    return bytes([0]) + tagged("gradient/address", key)


def chunk_id(chunk):
    return tagged("gradient/data-chunk", chunk)


def encode_shape(shape):
    return b"".join(little(shape[name], size) for name, size in SHAPE)


def encode_state(state):
    return little(state["loss"], 8) + raw(state["gradient"]) + sized(raw(state["delta"]))


def encode_proof(proof):
    kind = proof["kind"]
    template = encode_template(proof["template"])
    if kind == "false_unit":
        rest = (little(proof["unit"], 4) + raw(proof["previous_digest"]) + encode_state(proof["before"]) +
                hashes(proof["digests"]))
    else:
        rest = b"".join(little(end["units"], 4) + raw(end["last_digest"]) + raw(end["signature"])
                        for end in proof["ends"])
    return bytes([PROOFS.index(kind)]) + template + rest


def encode_action(action):
    kind = action["kind"]
    if kind == "transfer":
        rest = raw(action["to"]) + little(action["amount"], 8)
    elif kind == "publish_data":
        rest = sized(raw(action["chunk"]))
    elif kind == "create_task":
        rest = (little(1, 2) + encode_shape(action["shape"]) + little(1, 1) + little(action["data_bytes"], 8) +
                hashes(action["chunks"]) + little(action["unit_budget"], 8) + little(action["pay_per_hit"], 8) +
                little(action["escrow"], 8))
    elif kind == "fund_task":
        rest = little(action["task"], 4) + little(action["amount"], 8)
    elif kind == "cancel_task":
        rest = little(action["task"], 4)
    elif kind == "commit_fraud":
        rest = raw(action["commitment"])
    else:
        rest = little(action["commit_height"], 8) + raw(action["salt"]) + encode_proof(action["proof"])
    return bytes([ACTIONS.index(kind)]) + rest


def encode_unsigned(transaction):
    return (little(transaction["network_id"], 4) + raw(transaction["sender"]) + little(transaction["nonce"], 8) +
            little(transaction["fee"], 8) + encode_action(transaction["action"]))


# -------------------------------------------------------------------------------- ids and messages


def message(genesis, transaction):
    return tagged("gradient/transaction-signature", genesis, encode_unsigned(transaction))


def transaction_id(transaction, signature):
    return tagged("gradient/transaction", encode_unsigned(transaction), signature)


def share_id(template, digests):
    return tagged("gradient/transaction-share", template_hash(template), hashes(digests))


def task_record(number, action, parent, identity):
    """The record of the task that a transaction with this id creates in a block on `parent`."""
    root = merkle_root([raw(chunk) for chunk in action["chunks"]])
    seed = tagged("gradient/task-seed", parent, identity)
    return (little(number, 4) + little(1, 2) + encode_shape(action["shape"]) + little(1, 1) + root +
            little(action["data_bytes"], 8) + seed + little(action["unit_budget"], 8) +
            little(action["pay_per_hit"], 8))


def least_fee(transaction, byte_fee, replay_fee):
    action = transaction["action"]
    replays = 0
    if action["kind"] == "create_task":
        replays = len(action["chunks"])
    elif action["kind"] == "reveal_fraud":
        replays = int(action["proof"]["kind"] == "false_unit")
    return byte_fee * (1 + len(encode_unsigned(transaction)) + 64) + replay_fee * replays


# ------------------------------------------------------------------------------ Ed25519 (RFC 8032)

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def base_point():
    square = (BASE_Y**2 - 1) * pow(D * BASE_Y**2 + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x if x % 2 == 0 else P - x), BASE_Y


def add(a, b):
    cross = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + cross, P - 2, P) % P
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - cross, P - 2, P) % P
    return x, y


def times(scalar):
    result, power = (0, 1), base_point()
    while scalar:
        if scalar & 1:
            result = add(result, power)
        power, scalar = add(power, power), scalar >> 1
    return little(result[1] | (result[0] & 1) << 255, 32)


def secret_parts(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ~7 & (2**254 - 1) | 2**254
    return scalar, digest[32:]


def public_key(seed):
    return times(secret_parts(seed)[0])


def sign(seed, text):
    scalar, prefix = secret_parts(seed)
    nonce = int.from_bytes(hashlib.sha512(prefix + text).digest(), "little") % ORDER
    first = times(nonce)
    challenge = int.from_bytes(hashlib.sha512(first + times(scalar) + text).digest(), "little")
    return first + little((nonce + challenge * scalar) % ORDER, 32)
