"""The settlement of a training round a second time, in plain big integers.

Written from chain/SPEC.md section 17, not from the C++. // is division toward minus infinity.
"""

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt

RANGE = 2045 * 2**16  # L
MOST_CAP = 2**63 - 1


@dataclass
class Segment:
    hits: int
    paid_units: int
    lateness: int
    delta: list


@dataclass
class History:
    records: list = field(default_factory=list)  # (hits, displacement)
    weights: list = field(default_factory=list)

    def encoded(self):
        parts = [compact(len(self.records))]
        parts += [struct.pack("<IQ", *record) for record in self.records]
        parts += [compact(len(self.weights))] + [struct.pack("<Q", weight) for weight in self.weights]
        return b"".join(parts)


def compact(number):
    return bytes([number]) if number < 0xfd else b"\xfd" + struct.pack("<H", number)


def clamp(value, limit):
    return max(-limit, min(limit, value))


def lower_median(pairs):
    """The first value, ascending, at which the counts so far are at least half of all."""
    half = Fraction(sum(count for _, count in pairs), 2)
    for value in sorted({value for value, _ in pairs}):
        if sum(count for other, count in pairs if other <= value) >= half:
            return value
    raise ValueError("no values")


def displacement(delta):
    assert all(abs(d) <= 2 * RANGE for d in delta)
    found = isqrt(sum((abs(d) // 64) ** 2 for d in delta))
    assert found < 2**31
    return found


def clipped(delta, cap):
    moved = displacement(delta)
    if moved <= cap:
        return list(delta), moved
    return [d * cap // (moved + 1) for d in delta], cap


def cap_of(hits, history, initial):
    if sum(h for h, _ in history.records) >= 64:
        med = max(lower_median([(d // h, h) for h, d in history.records]), 1)
        usual_hits = lower_median([(h, h) for h, _ in history.records])
    else:
        med, usual_hits = initial, hits
    return min(2 * med * max(hits, isqrt(hits * usual_hits)), MOST_CAP)


def kept(records):
    """The shortest suffix with 512 hits, or everything."""
    for size in range(len(records) + 1):
        suffix = records[len(records) - size:]
        if sum(hits for hits, _ in suffix) >= 512:
            return suffix
    return records


def settle(theta, momentum, history, segments, full_units, initial):
    """(theta', momentum', history')."""
    if not segments:
        return list(theta), list(momentum), history
    weights = [s.hits * min(s.paid_units, full_units) for s in segments]
    total = sum(weights)
    most = total // 4 if len(segments) >= 4 else total
    counts = [min(w, most) // (1 + s.lateness) for w, s in zip(weights, segments)]
    least = lower_median([(w, 1) for w in history.weights]) // 2 if history.weights else 0
    divisor = max(total, least)

    deltas, records = [], []
    for s in segments:
        delta, moved = clipped(s.delta, cap_of(s.hits, history, initial))
        deltas.append(delta)
        records.append((s.hits, moved))

    new_theta, new_momentum = [], []
    for i, (t, v) in enumerate(zip(theta, momentum)):
        numerator = sum(count * d[i] for count, d in zip(counts, deltas))
        mean = numerator // divisor
        assert abs(numerator) <= 2**57 and abs(mean) <= 2 * RANGE
        if len(segments) == 1:
            v, step = 0, mean
        else:
            v = clamp(v // 2 + mean, 2 * RANGE)
            step = v // 2 + mean
        new_theta.append(clamp(t + step, RANGE))
        new_momentum.append(v)
    return new_theta, new_momentum, History(kept(history.records + records), (history.weights + [total])[-32:])


def step_is_acceptable(after, reference):
    return not Fraction(after) > Fraction(105, 100) * reference
