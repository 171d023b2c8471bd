"""A training unit, evaluation and inference (model/SPEC.md sections 6 and 7)."""

import struct
from dataclasses import dataclass
from math import isqrt

import attention
from aes_ctr import aesenc, stream_bytes
from grid import MAX_PARAMETER, wrap64


def split_parameters(config, buffer):
    """X and Y as rows from the flat buffer."""
    size_x = config.width * config.width

    def rows(values, columns):
        return [list(values[i : i + columns]) for i in range(0, len(values), columns)]

    return rows(buffer[:size_x], config.width), rows(buffer[size_x:], config.outputs)


def join_parameters(x, y):
    return [value for matrix in (x, y) for row in matrix for value in row]


def parameter_count(config):
    return config.width**2 + config.value_width * config.outputs


def initial_parameters(config, seed):
    drawn = stream_bytes(seed, 0, attention.INITIAL, config.width**2)
    x = [(((2 * r - 255) * config.x_init) >> 8) << 16 for r in drawn]
    return x + [0] * (config.value_width * config.outputs)


class Fold:
    """The gradient's fingerprint (section 6.3)."""

    KEY = bytes(range(16))

    def __init__(self):
        self.state = [bytes([i]) * 16 for i in range(16)]

    def add(self, matrix):
        data = b"".join(struct.pack(f"<{len(row)}i", *row) for row in matrix)
        assert len(data) % 1024 == 0
        for chunk in range(0, len(data), 256):
            for i in range(16):
                part = data[chunk + 16 * i : chunk + 16 * i + 16]
                mixed = bytes(a ^ b for a, b in zip(self.state[i], part))
                self.state[i] = aesenc(aesenc(mixed, self.KEY), self.KEY)

    def bytes(self):
        return b"".join(self.state)


def clipped(before, after, clip):
    """Bounds a unit's change of one matrix (section 6.2)."""
    change = [[a - b for a, b in zip(*rows)] for rows in zip(after, before)]
    norm = sum((abs(v) >> 6) ** 2 for row in change for v in row)
    if norm <= clip * clip:
        return after
    q = isqrt(norm) + 1
    return [[b + v * clip // q for b, v in zip(*rows)] for rows in zip(before, change)]


@dataclass
class UnitResult:
    parameters: list
    loss: int
    gradient: bytes
    steps: list


def train_unit(config, data, parameters, seed):
    x0, y0 = x, y = split_parameters(config, parameters)
    fold, loss, steps = Fold(), 0, []
    for step in range(config.steps_per_unit):
        result = attention.train_step(config, data, x, y, seed, step)
        x, y = result.x, result.y
        loss = wrap64(loss + result.loss)
        fold.add(result.gx)
        fold.add(result.gy)
        steps.append(result)
    x, y = clipped(x0, x, config.x_clip), clipped(y0, y, config.y_clip)
    return UnitResult(join_parameters(x, y), loss, fold.bytes(), steps)


@dataclass
class MatrixCounts:
    parameters: int
    saturated: int
    moved: int
    accumulators: int
    zero_accumulators: int


@dataclass
class ProbeCounts:
    x: MatrixCounts
    y: MatrixCounts

    def is_healthy(self):
        x, y = self.x, self.y
        return (4 * x.saturated <= x.parameters and 32 * y.saturated <= y.parameters
                and 64 * y.moved >= y.parameters
                and all(4 * m.zero_accumulators <= m.accumulators for m in (x, y)))


def probe_unit(config, data, parameters, seed):
    """What a unit does to the model, counted (section 6.6)."""
    result = train_unit(config, data, parameters, seed)

    def counts(before, after, gradients):
        pairs = [pair for rows in zip(before, after) for pair in zip(*rows)]
        sums = [v for gradient in gradients for row in gradient for v in row]
        return MatrixCounts(
            parameters=len(pairs), saturated=sum(abs(a) == MAX_PARAMETER for _, a in pairs),
            moved=sum(abs(a - b) >= 64 for b, a in pairs), accumulators=len(sums),
            zero_accumulators=sums.count(0))

    (x0, y0), (x, y) = (split_parameters(config, p) for p in (parameters, result.parameters))
    return ProbeCounts(counts(x0, x, [step.gx for step in result.steps]),
                       counts(y0, y, [step.gy for step in result.steps]))


def shift_to_14(value, e):
    """From units of 2^e to units of 2^-14."""
    w = -14 - e
    return value >> w if w >= 0 else value << -w


def infer(config, parameters, inputs):
    """Forward pass of one sequence without noise."""
    silence = attention.Silence()
    xw, yw = attention.working_weights(config, *split_parameters(config, parameters), silence)
    return attention.forward(config, xw, yw, inputs, silence, 0)


def predict(config, parameters, inputs):
    """Outputs of one sequence in units of 2^-14."""
    q = infer(config, parameters, inputs)
    return [[shift_to_14(v, q.e_c) for v in row] for row in q.c]


@dataclass
class Evaluation:
    rows: int
    correct: int
    squared_error: int


def evaluate(config, data, parameters, first, count):
    rows = correct = squared_error = 0
    for number in range(first, first + count):
        inputs = data.held_out[number % len(data.held_out)]
        q = infer(config, parameters, inputs)
        scored = slice(data.context_rows, None)
        for output, target, residual in zip(q.c[scored], inputs[3][scored], q.residual[scored]):
            rows += 1
            # The largest output is that of the exact C, before it is shifted to units of 2^-14.
            correct += output.index(max(output)) == target.index(max(target))
            squared_error += sum(shift_to_14(v, q.e_c) ** 2 for v in residual) << 4
    return Evaluation(rows, correct, wrap64(squared_error))


def unit_work(config):
    n, d, v, p = config.rows, config.width, config.value_width, config.outputs
    a = (n + 16) // 2 if config.causal else n
    return config.steps_per_unit * config.batch * (
        4 * n * d * d + 4 * n * v * p + 4 * n * a * d + 6 * n * a * p)
