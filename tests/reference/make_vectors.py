#!/usr/bin/env python3
"""Writes tests/vectors/model_*.json. Run it after a change of model/SPEC.md, and only then.

Usage: make_vectors.py [NAME ...]         e.g. make_vectors.py model_small
"""

import json
import random
import sys
from hashlib import sha256
from pathlib import Path

import aes_ctr
from attention import AttentionConfig
from cases import expected
from data_sets import MATRICES, Generator, columns_of

VECTORS = Path(__file__).resolve().parent.parent / "vectors"

DEFAULT = dict(rows=64, width=128, value_width=128, outputs=128, batch=8, steps_per_unit=16, causal=1,
               x_exponent=-8, y_exponent=-10, x_rate_mantissa=1, x_rate_shift=4, y_rate_mantissa=1,
               y_rate_shift=8, jitter=16, x_clip=1 << 30, y_clip=1 << 30, x_init=64)
SMALL = DEFAULT | dict(rows=16, width=16, value_width=16, outputs=16, batch=2, steps_per_unit=1)
LARGEST = 2045 << 16


def seed_of(*words):
    return sha256(" ".join(map(str, words)).encode()).hexdigest()


def uniform(amplitude):
    return {"draw": "uniform", "amplitude": amplitude}


def constant(value):
    return {"draw": "constant", "value": value}


def full_range():
    return weights(uniform(LARGEST), uniform(LARGEST))


def sign(amplitude):
    return {"draw": "sign", "amplitude": amplitude}


def weights(x, y):
    """Initial parameters by laws of X and Y."""
    return {"x": x, "y": y}


def one_hot(value=1024):
    return {"draw": "one_hot", "value": value}


def case(name, purpose, data=None, initial=None, units=1, evaluate=((0, 2),), intermediates=False,
         base=SMALL, **config):
    """A case without its expected part. `data` names the laws of A1, A2, A3 and B."""
    a1, a2, a3, b = data or (uniform(1024), uniform(1024), uniform(1024), one_hot())
    description = {"generator": 1 + len(name), "training": 5, "held_out": 3,
                   "a1": a1, "a2": a2, "a3": a3, "b": b}
    given = [{"seed": seed_of(name, k), "evaluate": [list(e) for e in evaluate]}
             for k in range(units)]
    if intermediates:
        for one in given:
            one["intermediates"] = True
    return {"name": name, "purpose": purpose, "config": base | config, "data": description,
            "initial": {"seed": seed_of(name, "initial")} if initial is None
            else {"generator": 7} | initial, "units": given}


def drawn_explicitly(one):
    """Replaces the generator by the numbers themselves."""
    config, law = AttentionConfig(**one["config"]), one["data"]
    generator, columns = Generator(law["generator"]), columns_of(config)

    def sequence():
        return {m: [v for _ in range(config.rows) for v in generator.row(law[m], columns[m])]
                for m in MATRICES}
    one["data"] = {"training": [sequence() for _ in range(2)], "held_out": [sequence()]}
    return one


def small():
    wide = dict(rows=32, width=48, value_width=16, outputs=32)
    return [
        case("one step", "the smallest shape", batch=1, intermediates=True),
        case("causal", "two steps of a batch, with the digests of every tensor", steps_per_unit=2,
             intermediates=True, evaluate=((0, 3), (2, 2))),
        case("not causal", "every row sees all", causal=0, steps_per_unit=2, intermediates=True),
        case("mixed widths", "all four dimensions differ", **wide, batch=3, steps_per_unit=3),
        case("mixed widths, not causal", "all four dimensions differ", **wide, batch=3,
             steps_per_unit=3, causal=0),
        case("many outputs", "outputs wider than the rest", rows=16, width=16, value_width=32,
             outputs=48, batch=2, steps_per_unit=2, units=2),
        case("three units", "a chain of units that learns", units=3, rows=32, batch=3,
             steps_per_unit=3, x_rate_shift=0, y_rate_shift=3, evaluate=((0, 1), (1, 5))),
    ]


def extreme():
    largest = (sign(2047),) * 4
    shape = dict(rows=32, width=48, value_width=48, outputs=32, batch=3, steps_per_unit=3)
    return [
        case("zero data", "all inputs, targets and parameters zero but for jitter",
             (constant(0),) * 4, weights(constant(0), constant(0)), steps_per_unit=2, jitter=1),
        case("constant data", "scores of a row all equal but for jitter",
             (constant(512), constant(-512), constant(300), constant(100)), steps_per_unit=2),
        case("largest data", "inputs and targets at the ends of their range", largest,
             full_range(), **shape, jitter=512),
        case("one sign", "products as large as they get",
             (constant(2047), constant(2047), constant(-2047), constant(2047)),
             weights(constant(LARGEST), constant(-LARGEST)), **shape, causal=0),
        case("coarsest exponents", "x_exponent and y_exponent at the top", largest,
             full_range(), **shape, x_exponent=-4, y_exponent=-9, units=2),
        case("finest exponents", "x_exponent and y_exponent at the bottom", None,
             weights(uniform(70000), uniform(70000)), **shape, x_exponent=-14, y_exponent=-14),
        case("largest rates", "parameters saturate at once", None, None, **shape,
             x_rate_mantissa=255, x_rate_shift=0, y_rate_mantissa=255, y_rate_shift=0, units=2),
        case("smallest rates", "updates vanish", None, weights(uniform(1 << 20), uniform(1 << 20)),
             **shape, x_rate_shift=40, y_rate_shift=40),
        case("clip binds", "both matrices are clipped, with odd bounds", None, None, **shape,
             x_rate_mantissa=3, x_rate_shift=0, y_rate_mantissa=5, y_rate_shift=0,
             x_clip=12345, y_clip=777, units=2),
        case("clip of one", "a unit may hardly move", None, None, **shape, x_clip=1, y_clip=1),
        case("sharp softmax", "scores so far apart that k < 0 and most weights vanish",
             (sign(2047), sign(2047), uniform(1024), one_hot()), full_range(), **shape, x_exponent=-4,
             y_exponent=-12),
        case("flat softmax", "long rows, equal weights, c as large as it gets",
             (uniform(3), uniform(3), uniform(1024), one_hot()), weights(uniform(65536),
             uniform(1 << 24)), rows=256, width=16, value_width=16, outputs=16, batch=1,
             causal=0),
        case("quiet and loud sequences", "exponents of T and V differ within the batch",
             (uniform(1024), uniform(1024), one_hot(2047), one_hot(5)), weights(uniform(1 << 26),
             uniform(1 << 10)), rows=32, width=32, value_width=32, outputs=32, batch=3,
             steps_per_unit=3, jitter=1),
        case("longest inner dimension", "products as large as they can be; the sums wrap modulo 2^64",
             (constant(2047), constant(2047), constant(2047), constant(-2047)),
             weights(constant(LARGEST), constant(LARGEST)), rows=32, width=256, value_width=256,
             outputs=16, batch=2, y_exponent=-9),
        case("widest outputs", "Q as large as it can be", largest, weights(constant(LARGEST),
             sign(LARGEST)), rows=32, width=16, value_width=256, outputs=256, batch=1),
        case("largest updates", "a gradient so coarse that the update's shift meets its bound",
             (constant(0), sign(2047), constant(2047), sign(2047)),
             weights(uniform(1 << 16), sign(LARGEST)), rows=32, width=16, value_width=256,
             outputs=32, batch=2, jitter=1, x_exponent=-14, y_exponent=-9, x_rate_shift=0,
             y_rate_shift=0),
        case("clip met exactly", "all of X goes from zero to its bound: 16 * (134021120 >> 6)",
             (constant(2047), sign(2047), constant(2047), sign(2047)),
             weights(constant(0), sign(LARGEST)), rows=32, width=16, value_width=256,
             outputs=32, batch=2, x_exponent=-14, y_exponent=-9, x_rate_mantissa=255,
             x_rate_shift=0, x_clip=33505280),
        case("gradient of 512 rows", "batch * rows at its limit", largest, full_range(), rows=256,
             width=16, value_width=16, outputs=16, batch=2),
    ]


def sweep():
    """Hyper-parameters drawn over their whole ranges."""
    draw, cases = random.Random(1), []
    laws = [lambda: uniform(draw.choice([1, 30, 1024, 2047])), lambda: sign(draw.choice([1, 2047])),
            lambda: constant(draw.randint(-2047, 2047)), one_hot]
    for number in range(60):
        config = dict(
            rows=draw.choice([16, 16, 32]), width=draw.choice([16, 32, 48]),
            value_width=draw.choice([16, 32, 48]), outputs=draw.choice([16, 32, 48]),
            batch=draw.randint(1, 3), steps_per_unit=draw.randint(1, 3), causal=draw.randint(0, 1),
            x_exponent=draw.randint(-14, -4), y_exponent=draw.randint(-14, -9),
            x_rate_mantissa=draw.randint(1, 255), x_rate_shift=draw.randint(0, 40),
            y_rate_mantissa=draw.randint(1, 255), y_rate_shift=draw.randint(0, 40),
            jitter=draw.choice([1, 16, 100, 512]), x_clip=1 << draw.randint(0, 30),
            y_clip=1 << draw.randint(0, 30), x_init=draw.choice([1, 64, 2047]))
        data = [draw.choice(laws)() for _ in MATRICES]
        initial = draw.choice([None, weights(uniform(min(LARGEST, 1 << draw.randint(8, 27))),
                                             uniform(min(LARGEST, 1 << draw.randint(8, 27))))])
        cases.append(case(f"sweep {number}", "drawn at random", data, initial,
                          evaluate=((number % 3, 2),), **config))
    return cases


def default_shape():
    return [case("default shape", "one step of the shape that text uses", base=DEFAULT,
                 steps_per_unit=1, evaluate=((0, 1),))]


def explicit():
    return [drawn_explicitly(case("numbers written out", "needs no generator", intermediates=True,
                                  evaluate=((0, 1),)))]


def text():
    words = ("the The of a and to in is that it was for on are as with his they at be this from I have or "
             "by one had not but what all were when we there can an your which their said if do will "
             "each about how up out them then she many some so these would other into has more: two; "
             "(1234567890) \u00e9t\u00e9 JKLMNPQRSUVXYZ zqx! [$%&*+=/@~] fjord, quiz. vex? \n\n")
    sequences = [0, 1, 17, 1 << 20]
    prompts = [[], [5], [1, 2, 3, 62, 63], [i * i % 64 for i in range(100)]]
    shape = dict(width=128, value_width=256, outputs=64)

    def of(name, purpose, law, **config):
        one = case(name, purpose, evaluate=((0, 2), (1, 3)), **shape, **config)
        one["data"] = {"text": law, "sequences": sequences, "prompts": prompts}
        return one
    return [
        of("words", "drawn words, more than 63 byte values",
           {"generator": 3, "words": words, "draws": 1500}, rows=32, batch=2, steps_per_unit=3,
           y_rate_shift=3, units=2),
        of("every byte", "all byte values about as frequent; the shortest text",
           {"generator": 4, "below": 256, "draws": 4096}, rows=48),
        of("few bytes", "a vocabulary far smaller than 63",
           {"generator": 5, "below": 5, "draws": 5003}, rows=64, batch=1),
    ]


def probe():
    shape = dict(rows=32, width=48, value_width=48, outputs=32, batch=3, steps_per_unit=2)

    def of(*arguments, **config):
        one = case(*arguments, **config)
        for given in one["units"]:
            given["probe"] = True
        return one
    return [
        of("healthy", "three units from the start", units=3, **shape, x_rate_shift=0, y_rate_shift=6),
        of("smallest", "the smallest shape and batch", batch=1, units=2),
        of("largest rates", "both matrices saturate", None, None, **shape, x_rate_mantissa=255,
           x_rate_shift=0, y_rate_mantissa=255, y_rate_shift=0, units=2),
        of("part saturated", "weights near both ends of the range", None,
           weights(sign(LARGEST - 20000), sign(LARGEST - 4000)), **shape, x_rate_shift=0,
           y_rate_shift=0, units=2),
        of("part moved", "most changes are below 64 grid steps", None, None, **shape, x_rate_shift=9,
           y_rate_shift=20),
        of("smallest rates", "nothing moves", None, None, **shape, x_rate_shift=40, y_rate_shift=40),
        of("clip of one", "changes of -1 and 0", None, None, **shape, x_clip=1, y_clip=1),
        of("Y rests", "X alone moves", None, None, **shape, x_rate_shift=0, y_clip=1),
        of("zero data", "accumulators that are zero", (constant(0),) * 4,
           weights(constant(0), constant(0)), steps_per_unit=2, batch=1, jitter=1),
        of("zero keys", "X has no gradient but noise", (constant(0), constant(0), uniform(1024),
           one_hot()), None, rows=16, width=16, value_width=16, outputs=16, batch=1, jitter=1),
    ]


def aes():
    key = "2b7e151628aed2a6abf7158809cf4f3c"  # SP 800-38A, appendix F.1.1
    published = [("6bc1bee22e409f96e93d7e117393172a", "3ad77bb40d7a3660a89ecaf32466ef97"),
                 ("ae2d8a571e03ac9c9eb76fac45af8e51", "f5d3d58503b9699de785895a96fdbaaf"),
                 ("30c81c46a35ce411e5fbc1191a0a52ef", "43b1cd7f598ece23881b00e3ed030688"),
                 ("f69f2445df4f9b17ad2b417be66c3710", "7b0c785e27e8ad3f8223207104725dd4")]
    blocks = [{"source": f"SP 800-38A F.1.1 block {i + 1}", "key": key, "plain": p, "cipher": c}
              for i, (p, c) in enumerate(published)]
    blocks.append({"source": "FIPS 197 appendix B", "key": key,
                   "plain": "3243f6a8885a308d313198a2e0370734",
                   "cipher": "3925841d02dc09fbdc118597196a0b32"})
    blocks.append({"source": "FIPS 197 appendix C.1", "key": bytes(range(16)).hex(),
                   "plain": "00112233445566778899aabbccddeeff",
                   "cipher": "69c4e0d86a7b0430d8cdb78070b4c55a"})
    rounds = [{"source": "FIPS 197 appendix B, round 1", "state": "193de3bea0f4e22b9ac68d2ae9f84808",
               "key": "a0fafe1788542cb123a339392a6c7605", "result": "a49c7ff2689f352b6b5bea43026a5049"}]
    seed = bytes(range(100, 132))
    streams = [{"seed": seed.hex(), "step": step, "stream": stream,
                "bytes": aes_ctr.stream_bytes(seed, step, stream, count).hex()}
               for step, stream, count in [(0, 0, 40), (0, 13, 33), (1, 7, 16), (255, 12, 64)]]
    return {"blocks": blocks, "rounds": rounds, "streams": streams}


FILES = {"model_small": small, "model_extreme": extreme, "model_sweep": sweep,
         "model_default": default_shape, "model_explicit": explicit,
         "model_text": text, "model_probe": probe}


def main():
    VECTORS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or ["model_aes", *FILES]:
        if name == "model_aes":
            content = aes()
        else:
            cases = FILES[name]()
            for one in cases:
                one["expected"] = expected(one)
            content = {"cases": cases}
        text = json.dumps(content, indent=None if name == "model_explicit" else 1)
        (VECTORS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"wrote {name}.json")


if __name__ == "__main__":
    main()
