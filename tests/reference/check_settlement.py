#!/usr/bin/env python3
"""Recomputes tests/vectors/settlement.json from chain/SPEC.md section 17 and compares; --write writes it anew.

Writing is right after a change of the specification and at no other time.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

import settlement
from data_sets import Generator
from settlement import RANGE, History, Segment

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "settlement.json"


def segment(hits, paid_units, lateness, delta):
    return dict(hits=hits, paid_units=paid_units, lateness=lateness, delta=delta)


def run(name, purpose, theta, rounds, full_units=128, initial=2**63):
    """A chain of rounds from an empty history, with what each leaves."""
    state, momentum, history, expected = theta, [0] * len(theta), History(), []
    for segments in rounds:
        state, momentum, history = settlement.settle(state, momentum, history, [Segment(**s) for s in segments],
                                                     full_units, initial)
        expected.append(dict(theta=state, momentum=momentum, history_sha256=sha256(history.encoded()).hexdigest()))
    return dict(name=name, purpose=purpose, full_units=full_units, initial_displacement=initial, theta=theta,
                rounds=rounds, expected=expected, history=history.encoded().hex())


def chains():
    draw = Generator(17)
    below = lambda limit: draw.next() % limit

    def delta(size, amplitude):
        return [draw.uniform(amplitude) for _ in range(size)]

    def drawn(size, count, amplitude, most_hits, most_units):
        return [segment(1 + below(most_hits), 1 + below(most_units), below(4), delta(size, amplitude))
                for _ in range(count)]

    def signs(size):
        return [(1 - 2 * below(2)) * 2 * RANGE for _ in range(size)]

    outlier = [[segment(2, 90, 0, delta(8, 9000)) for _ in range(4)] for _ in range(10)]
    outlier[9][1] = segment(2, 90, 0, [1000 * d for d in delta(8, 9000)])
    odd = [-1, 1, -2, 2, -3, 3, 0, -63, 64, -65]
    return [
        run("alone", "a round of one segment goes on where its lane ended", [0, 5, -5, RANGE, -RANGE],
            [[segment(3, 500, 0, [1, -6, -7, 8, -9])], [segment(1, 2, 0, [-1, -1, 1, 2 * RANGE, -2 * RANGE])],
             [segment(2, 40, 2, [-1, -100, 1, 50, 7])]]),
        run("odd numbers", "every division goes toward minus infinity", [0] * 10,
            [[segment(1, 3, 1, odd), segment(2, 7, 0, odd[::-1]), segment(1, 1, 3, odd)]] * 4),
        run("nothing enters", "without segments nothing changes", [4, 5],
            [[segment(1, 9, 0, [3, 3]), segment(1, 9, 0, [4, 3])], [], [segment(2, 9, 0, [-3, 3]), segment(1, 1, 0, [1, 1])]]),
        run("weight cap", "four and more segments, none counts for more than a quarter", [0] * 4,
            [[segment(h, l, 0, delta(4, 10**6)) for h, l in weights] for weights in (
                [(128, 4096), (1, 1), (1, 1)], [(128, 4096), (1, 1), (1, 1), (1, 2)],
                [(128, 4096)] + [(3, 50)] * 7, [(1, 1)] * 4, [(5, 99), (4, 98), (3, 97), (2, 96), (1, 95), (90, 128)])]),
        run("crumb", "a segment of weight 1 beside three and four heavy ones", [0] * 4,
            [[segment(20, 128, 0, delta(4, 10**6)) for _ in range(heavy)] + [segment(1, 1, 0, delta(4, 10**6))]
             for heavy in (3, 4)]),
        run("late and heavy", "the cut comes before the division by the lateness", [0] * 4,
            [[segment(128, 4096, late, delta(4, 10**6))] + [segment(1, 3, 0, delta(4, 10**6)) for _ in range(3)]
             for late in range(4)]),
        run("small initial displacement", "clipping by the task's constant, then by what is usual", [0] * 6,
            [drawn(6, 3, 2**20, 4, 128) for _ in range(14)], initial=500),
        run("outlier", "one segment moves a thousand times as far", [0] * 8, outlier),
        run("64 hits", "the history says what is usual from its 64th hit on", [0],
            [[segment(63, 128, 0, [63 * 640])], [segment(1, 128, 0, [640 * 50])], [segment(1, 128, 0, [640 * 99])],
             [segment(1, 128, 0, [640 * 999])]], initial=100),
        run("zero cap", "nothing passes but what does not count", [0] * 4,
            [[segment(1, 9, 0, [63, -63, 10, 0])], [segment(1, 9, 0, [64, -63, 10, 0])]], initial=0),
        run("zero median", "a task that stood still for 64 hits and more moves again", [0] * 2,
            [[segment(16, 128, 0, [0, 0]) for _ in range(4)]] * 2 + [[segment(16, 128, 0, [10**6, -10**6])]] * 12),
        run("largest initial displacement", "the cap's ceiling", [0] * 2,
            [[segment(128, 9, 0, [2 * RANGE, -2 * RANGE])]], initial=2**64 - 1),
        run("long history", "more than 32 rounds and 512 hits", [0] * 3,
            [drawn(3, 1 + below(6), 10**6, 16, 300) for _ in range(60)]),
        run("late", "late segments among others, and alone", [0] * 4,
            [drawn(4, 1 + i % 4, 10**5, 8, 200) for i in range(12)], initial=10**5),
        run("extremes", "everything at the ends of its range", [RANGE, -RANGE, RANGE, -RANGE],
            [[segment(128, 4096, below(4), signs(4)) for _ in range(6)] for _ in range(6)], full_units=4096),
        run("saturation", "model and momentum at their ends", [0, 0],
            [[segment(128, 4096, 0, [2 * RANGE, -2 * RANGE])] * 2] * 4, full_units=4096),
        run("1024 segments", "as many as there may be", [0, 1],
            [[segment(1 + below(128), 1 + below(4096), below(4), signs(2)) for _ in range(1024)]], full_units=4096),
        run("many hits a round", "records of one round alone exceed what is kept", [0],
            [[segment(100, 4096, 0, [640 * (i + 1)]) for i in range(9)]] * 2),
        run("no parameters", "an empty model is settled like any", [], [[segment(1, 1, 0, []), segment(1, 1, 0, [])]]),
    ]


def wide():
    """A round of many parameters, drawn: deltas of the segments one after the other, then the model, then momentum."""
    draw, size, count, amplitude = Generator(99), 5000, 12, 3 * 2**20
    segments = [Segment(1 + j, 40 * (j + 1), j % 4, [draw.uniform(amplitude * (1 + 40 * (j == 5))) for _ in range(size)])
                for j in range(count)]
    theta = [draw.uniform(RANGE) for _ in range(size)]
    momentum = [draw.uniform(2 * RANGE) for _ in range(size)]
    initial = 700_000
    theta, momentum, history = settlement.settle(theta, momentum, History(), segments, 128, initial)

    def digest(values):
        return sha256(b"".join(value.to_bytes(4, "little", signed=True) for value in values)).hexdigest()
    return dict(generator=99, size=size, count=count, amplitude=amplitude, full_units=128, initial_displacement=initial,
                expected=dict(theta=digest(theta), momentum=digest(momentum), history=history.encoded().hex()))


def steps():
    most = 2**63 - 1
    pairs = [(0, 0), (1, 0), (105, 100), (106, 100), (19, 19), (20, 19), (21, 20), (22, 20), (most, most),
             (most, most // 21 * 20), (most, most // 21 * 20 + 20), (most, 0), (0, most)]
    return [dict(after=a, reference=r, acceptable=settlement.step_is_acceptable(a, r)) for a, r in pairs]


def main():
    found = {"chains": chains(), "wide": wide(), "steps": steps()}
    if sys.argv[1:] == ["--write"]:
        VECTORS.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
        return 0
    wanted = json.loads(VECTORS.read_text(encoding="utf-8"))
    wrong = [part for part in wanted.keys() | found.keys() if wanted.get(part) != found.get(part)]
    for part in sorted(wrong):
        print(f"{part}: the vectors differ from the specification's reading")
    print(f"settlement: {len(found) - len(wrong)} of {len(found)} parts agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
