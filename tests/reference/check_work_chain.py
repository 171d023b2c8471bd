#!/usr/bin/env python3
"""Recomputes tests/vectors/work_chain.json from chain/SPEC.md and compares; --write writes it anew.

Writing is right after a change of the specification and at no other time.
"""

import json
import sys
from pathlib import Path

import attention
import work_chain as chain
from data_sets import DataSet, Generator

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "work_chain.json"
CONFIG = dict(rows=16, width=16, value_width=16, outputs=16, batch=1, steps_per_unit=1, causal=1, x_exponent=-8,
              y_exponent=-10, x_rate_mantissa=1, x_rate_shift=6, y_rate_mantissa=1, y_rate_shift=8, jitter=16,
              x_clip=2**30, y_clip=2**30, x_init=64)
PARAMS = dict(hits_per_win=4, units_per_hit=4, guards=2)


class Lcg:
    """The generator of tests/support/random_dataset.hpp."""

    def __init__(self, seed):
        self.state = (seed * 2654435761 + 1) % 2**32

    def within(self, low, high):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return low + (self.state >> 8) % (high - low + 1)


def sequence(index):
    lcg = Lcg(index)
    return [[[lcg.within(-700, 700) for _ in range(16)] for _ in range(16)] for _ in range(4)]


def lane_case():
    config = attention.AttentionConfig(**CONFIG)
    data = DataSet([sequence(i) for i in range(97)], [sequence(1000 + i) for i in range(11)])
    start = chain.solver.initial_parameters(config, b"\x01" * 32)
    target = 2**251 // chain.solver.unit_work(config)  # one unit in 32 wins
    template = dict(version=1, height=1, parent="11" * 32, time_ms=1700000005000,
                    bits=chain.compact(target), settle_root="44" * 32, transaction_root="55" * 32,
                    state_root="33" * 32, history_root="22" * 32, task=0, miner="66" * 32, lane=5)
    return {"config": CONFIG, "template": template, "params": PARAMS, "units_run": 40,
            "expected": chain.run_lane(config, data, start, template, PARAMS, 40)}


def delta_cases():
    generator = Generator(1)
    cases = []
    for count, amplitude in [(0, 1), (1, 0), (1, 1), (3, 5), (255, 40), (256, 3), (257, 70000), (600, 2**30)]:
        base = [generator.uniform(1000) for _ in range(count)]
        value = [b + generator.uniform(amplitude) for b in base]
        cases.append((base, value))
    cases.append(([-(2**31), 2**31 - 1, 0], [2**31 - 1, -(2**31), 0]))
    cases.append(([0] * 256, [0] * 255 + [10**9]))
    return [{"base": base, "value": value, "coded": chain.encode_delta(base, value).hex()}
            for base, value in cases]


def guard_cases():
    cases = []
    for digest, units, hits, count in [("01" * 32, 10, [2, 5, 10], 2), ("02" * 32, 4096, [100, 4096], 2),
                                       ("03" * 32, 3, [1, 2, 3], 2), ("04" * 32, 2, [2], 2),
                                       ("05" * 32, 500, [17, 400, 500], 8)]:
        guards = chain.draw_guards(bytes.fromhex(digest), units, hits, count)
        cases.append(dict(digest=digest, units=units, hits=hits, count=count, guards=guards))
    return cases


def target_cases():
    cases = []
    for bits, work in [(0x207fffff, 1), (0x1b00ffff, 2_500_000_000), (0x1c123456, 2_500_000_001),
                       (0x1d00ffff, 7_654_321), (0x01010000, 12345)]:
        win, hit = chain.targets(bits, work, 64, 100)
        cases.append(dict(bits=bits, work=work, win=f"{win:064x}", hit=f"{hit:064x}",
                          block_work=f"{min(2**256 // (chain.expand(bits) + 1), chain.MOST):064x}",
                          hit_reward=chain.hit_reward(40 * 10**8, 12623040, 12623040, win, hit),
                          segment_reward=chain.segment_reward(40 * 10**8, 12623040, 1, win, hit, 13, 100)))
    return cases


def difficulty_cases():
    generator = Generator(2)
    anchor = dict(anchor_time=1700000000000, anchor_bits=0x1b00ffff, interval=10000, half_life=3600000,
                  easiest=0x1f00ffff)
    cases = []
    for i in range(60):
        height = generator.next() % 100000
        spread = 10 ** (3 + i % 6)
        time = anchor["anchor_time"] + 10000 * height + generator.uniform(spread)
        cases.append((height, time))
    cases += [(0, 0), (0, 2**64 - 1), (2**64 - 2, 0), (0, 1700000000000), (7, 1700000070001), (7, 1700000069999)]
    return anchor | {"cases": [dict(height=h, time=t, bits=chain.next_bits(**anchor, height=h, time=t))
                               for h, t in cases]}


def main():
    found = {"lane": lane_case(), "deltas": delta_cases(), "guards": guard_cases(), "targets": target_cases(),
             "difficulty": difficulty_cases()}
    if sys.argv[1:] == ["--write"]:
        VECTORS.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
        return 0
    wanted = json.loads(VECTORS.read_text(encoding="utf-8"))
    wrong = [part for part in wanted.keys() | found.keys() if wanted.get(part) != found.get(part)]
    for part in sorted(wrong):
        print(f"{part}: the vectors differ from the specification's reading")
    print(f"work chain: {len(found) - len(wrong)} of {len(found)} parts agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
