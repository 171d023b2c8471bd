"""The work chain a second time: digests, targets, guards, difference coding, difficulty, rewards, lanes.

Written from chain/SPEC.md sections 1, 2, 6, 7, 8 and 12, not from the C++.
"""

import hashlib
import struct

import unit as solver

MOST = 2**256 - 1


def tagged(tag, *parts):
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + b"".join(parts)).digest()


def u32(value):
    return struct.pack("<I", value)


def number(digest):
    return int.from_bytes(digest, "big")


TEMPLATE = [("version", 4), ("height", 8), ("parent", 32), ("time_ms", 8), ("bits", 4), ("settle_root", 32),
            ("transaction_root", 32), ("state_root", 32), ("history_root", 32), ("task", 4), ("miner", 32),
            ("lane", 4)]


def encode_template(template):
    parts = []
    for name, size in TEMPLATE:
        value = template[name]
        parts.append(bytes.fromhex(value) if size == 32 else value.to_bytes(size, "little"))
    return b"".join(parts)


def template_hash(template):
    return tagged("gradient/template", encode_template(template))


def header_id(template, units, last):
    return tagged("gradient/header", encode_template(template), u32(units), last)


def segment_id(lane, last):
    return tagged("gradient/segment", lane, last)


def segment_message(lane, units, last):
    return tagged("gradient/segment-signature", lane, u32(units), last)


# ---------------------------------------------------------------------------------------- digests


def model_digest(parameters):
    return tagged("gradient/model", struct.pack(f"<{len(parameters)}i", *parameters))


def gradient_digest(fold):
    return tagged("gradient/gradient", fold)


def state_digest(parameters, loss, gradient):
    return tagged("gradient/state", model_digest(parameters), struct.pack("<q", loss), gradient)


def lane_digest(lane, start):
    return tagged("gradient/lane", lane, start)


def unit_seed(lane, k, previous):
    return tagged("gradient/batch", lane, u32(k), previous)


def unit_digest(lane, k, previous, state):
    return tagged("gradient/unit", lane, u32(k), previous, state)


def ticket(digest):
    return number(tagged("gradient/ticket", digest))


# ------------------------------------------------------------------------------ targets and guards


def expand(bits):
    size, digits = bits >> 24, bits & 0x7fffff
    return digits * 256 ** (size - 3) if size >= 3 else digits // 256 ** (3 - size)


def compact(target):
    size = (target.bit_length() + 7) // 8
    digits = target * 256 ** (3 - size) if size <= 3 else target // 256 ** (size - 3)
    if digits & 0x800000:
        digits, size = digits // 256, size + 1
    return size << 24 | digits


def targets(bits, work, hits_per_win, units_per_hit):
    win = min(expand(bits) * work, MOST)
    return win, max(win, min(hits_per_win * win, MOST // units_per_hit))


def draw_guards(last, units, hits, count):
    left = [k for k in range(1, units + 1) if k not in hits]
    guards = []
    for i in range(min(count, len(left))):
        guards.append(left.pop(number(tagged("gradient/guard", last, u32(i))) % len(left)))
    return sorted(guards)


# ------------------------------------------------------------------------------- difference coding


def coded_size(values, r):
    return sum(1 + r + (u >> r) for u in values)


def encode_block(values):
    if not any(values):
        return b"\xff"
    r = min(range(34), key=lambda r: coded_size(values, r))  # the first of the smallest
    bits, filled = 0, 0
    for u in values:
        ones = u >> r
        bits |= ((1 << ones) - 1) << filled
        filled += ones + 1
        bits |= (u & ((1 << r) - 1)) << filled
        filled += r
    return bytes([r]) + bits.to_bytes((filled + 7) // 8, "little")


def encode_delta(base, value):
    mapped = [2 * d if d >= 0 else -2 * d - 1 for d in (v - b for v, b in zip(value, base))]
    return b"".join(encode_block(mapped[i : i + 256]) for i in range(0, len(mapped), 256))


# --------------------------------------------------------------------------- difficulty and rewards


def next_bits(anchor_time, anchor_bits, interval, half_life, easiest, height, time):
    x = (time - anchor_time - interval * height) * 65536 // half_life
    f = x % 65536
    w = (x - f) // 65536
    g = 65536 + (195766423245049 * f + 971821376 * f**2 + 5127 * f**3 + 2**47) // 2**48
    shift = 8 * ((anchor_bits >> 24) - 3) + w - 16
    scaled = (anchor_bits & 0x7fffff) * g
    # beyond 2^600 either way the bounds decide
    target = scaled << min(shift, 600) if shift >= 0 else scaled >> min(-shift, 600)
    return compact(min(max(target, 1), expand(easiest)))


def halved(reward, halving, height):
    return 0 if height == 0 else reward >> (height // halving)


def hit_reward(reward, halving, height, win, hit):
    paid = halved(reward, halving, height)
    s = max(0, hit.bit_length() - 128)
    return paid * (win >> s) // (hit >> s) if hit else paid


def segment_reward(reward, halving, height, win, hit, hits, units):
    return hits * hit_reward(reward, halving, height, win, hit) * min(units, 128) // 128


# ------------------------------------------------------------------------------------------ lanes


def run_lane(config, data, start, template, params, units):
    """A lane of so many units, cut at its last hit: everything of its segment but the signature."""
    lane = template_hash(template)
    none = bytes(32)
    states = [(list(start), 0, none)]
    digests = [state_digest(*states[0])]
    chain = [lane_digest(lane, digests[0])]
    for k in range(1, units + 1):
        result = solver.train_unit(config, data, states[-1][0], unit_seed(lane, k, chain[-1]))
        states.append((result.parameters, result.loss, gradient_digest(result.gradient)))
        digests.append(state_digest(*states[-1]))
        chain.append(unit_digest(lane, k, chain[-1], digests[-1]))
    _, hit = targets(template["bits"], solver.unit_work(config), params["hits_per_win"],
                     params["units_per_hit"])
    hits = [k for k in range(1, units + 1) if ticket(chain[k]) <= hit]
    last = hits[-1]
    guards = draw_guards(chain[last], last, hits, params["guards"])
    openings = []
    for k in sorted(hits + guards):
        parameters, loss, gradient = states[k - 1]
        openings.append({"unit": k, "loss": loss, "gradient": gradient.hex(),
                         "delta": encode_delta(start, parameters).hex()})
    return {"template_hash": lane.hex(), "units": last, "hits": hits,
            "states": [d.hex() for d in digests[1 : last + 1]],
            "digests": [s.hex() for s in chain[: last + 1]], "openings": openings,
            "header_id": header_id(template, last, chain[last]).hex(),
            "segment_id": segment_id(lane, chain[last]).hex(),
            "message": segment_message(lane, last, chain[last]).hex(),
            "final": model_digest(states[last][0]).hex()}
