"""One step of the attention regression (model/SPEC.md sections 2 to 4).

A matrix is a list of rows. A sequence's intermediate results are kept by name, so that vectors can
hold the digests of any of them.
"""

from dataclasses import dataclass

from aes_ctr import stream_bytes
from grid import (MAX_MANTISSA, MAX_PARAMETER, clamp, largest_magnitude, product,
                  product_transposed, round_matrix, round_shift, scale_shift, transpose, wrap64)

# Streams of random numbers (section 3).
BATCH, A1, A2, A3, XW, YW, U, F, H, R, P, T, V, INITIAL = range(14)

INPUT_EXPONENT = -10
F_EXPONENT = -11


@dataclass
class AttentionConfig:
    rows: int
    width: int
    value_width: int
    outputs: int
    batch: int
    steps_per_unit: int
    causal: int
    x_exponent: int
    y_exponent: int
    x_rate_mantissa: int
    x_rate_shift: int
    y_rate_mantissa: int
    y_rate_shift: int
    jitter: int
    x_clip: int
    y_clip: int
    x_init: int


class Noise:
    """The h = 2r - 255 of every entry of the tensors of one step."""

    def __init__(self, seed, step):
        self.seed, self.step = seed, step
        self.known = {}

    def of(self, stream, sequences, sequence, rows, columns):
        """Rows of h for one of `sequences` tensors that lie behind each other in the stream."""
        if stream not in self.known:
            self.known[stream] = stream_bytes(self.seed, self.step, stream, sequences * rows * columns)
        bytes_of_stream, first = self.known[stream], sequence * rows * columns
        return [[2 * r - 255 for r in bytes_of_stream[i : i + columns]]
                for i in range(first, first + rows * columns, columns)]


class Silence:
    """h = 0: evaluation and inference."""

    def of(self, stream, sequences, sequence, rows, columns):
        return [[0] * columns] * rows


def batch_sequences(config, seed, step, training_sequences):
    """Which training sequences a step reads."""
    words = stream_bytes(seed, step, BATCH, 8 * config.batch)
    return [int.from_bytes(words[8 * b : 8 * b + 8], "little") * training_sequences >> 64
            for b in range(config.batch)]


def working_weights(config, x, y, noise):
    """The parameters rounded to mantissas: Xw, Yw."""
    xw = round_matrix(x, 16, noise.of(XW, 1, 0, config.width, config.width))
    yw = round_matrix(y, 16, noise.of(YW, 1, 0, config.value_width, config.outputs))
    return xw, yw


def jitter_input(config, base, noise):
    return [[clamp(m + ((h * config.jitter + 128) >> 8), -MAX_MANTISSA, MAX_MANTISSA)
             for m, h in zip(row, hs)] for row, hs in zip(base, noise)]


def visible(config, i):
    """How many entries of row i are not masked."""
    return i + 1 if config.causal else config.rows


def softmax_row(scores, exponent, noise):
    """Mantissas of one row of F from the unmasked scores (step 3)."""
    largest = max(scores)
    k = -exponent - 12
    weights = []
    for score in scores:
        z = largest - score
        if k >= 0:
            y0 = min(z >> min(k, 31), 131071)
        else:
            y0 = min(min(z, 131071) << min(-k, 14), 131071)
        y = (y0 * 5909) >> 12
        n, f = y >> 12, y & 4095
        p = 65536 - (((45446 - (((15511 - ((2844 * f) >> 12)) * f) >> 12)) * f) >> 12)
        weights.append(p >> min(n, 17))
    total = sum(weights)
    c = total.bit_length() - 1 - 16
    g = (1 << (30 + c)) // total
    return [clamp(round_shift(e * g, 19 + c, h), -MAX_MANTISSA, MAX_MANTISSA)
            for e, h in zip(weights, noise)]


@dataclass
class Sequence:
    """Everything one sequence leaves behind in a step."""

    a1: list
    a2: list
    a3: list
    u: list
    e_u: int
    f: list
    h: list
    e_h: int
    c: list
    e_c: int
    residual: list
    # Backward only.
    r: list = None
    e_r: int = 0
    loss: int = 0
    p: list = None
    e_p: int = 0
    t: list = None
    e_t: int = 0
    v: list = None
    e_v: int = 0


def forward(config, xw, yw, inputs, noise, b):
    """Steps 1 to 6 for sequence b of the batch, up to the residual."""
    rows, batch = config.rows, config.batch
    a1, a2, a3, target = inputs

    u = product(a1, xw)
    s = scale_shift(largest_magnitude(u))
    u = round_matrix(u, s, noise.of(U, batch, b, rows, config.width))
    e_u = INPUT_EXPONENT + config.x_exponent + s

    noise_f = noise.of(F, batch, b, rows, rows)
    f = []
    for i in range(rows):
        seen = visible(config, i)
        scores = product_transposed([u[i]], a2[:seen])[0]
        f.append(softmax_row(scores, e_u + INPUT_EXPONENT, noise_f[i]) + [0] * (rows - seen))

    h = product(a3, yw)
    s = max(scale_shift(largest_magnitude(h)), -7 - config.y_exponent)
    h = round_matrix(h, s, noise.of(H, batch, b, rows, config.outputs))
    e_h = INPUT_EXPONENT + config.y_exponent + s

    c = product(f, h)
    e_c = F_EXPONENT + e_h
    assert -28 <= e_c <= -10
    residual = [[cc - (bb << (-10 - e_c)) for cc, bb in zip(row, wanted)]
                for row, wanted in zip(c, target)]
    assert largest_magnitude(c) < 2**23 and largest_magnitude(residual) < 2**30
    return Sequence(a1, a2, a3, u, e_u, f, h, e_h, c, e_c, residual)


def backward(config, q, noise, b):
    """Steps 6 to 10: the residual's mantissas, the loss, P, T and V of sequence b."""
    rows, batch = config.rows, config.batch
    s = scale_shift(largest_magnitude(q.residual))
    q.r = round_matrix(q.residual, s, noise.of(R, batch, b, rows, config.outputs))
    q.e_r = q.e_c + s
    squares = sum(m * m for row in q.r for m in row)
    shift = 2 * q.e_r + 32
    q.loss = squares << shift if shift >= 0 else squares >> -shift

    scores = [product_transposed([q.r[i]], q.h[: visible(config, i)])[0] for i in range(rows)]
    largest, k = largest_magnitude(scores), 0
    while largest > 131071 << k:
        k += 1
    e_q = q.e_r + q.e_h + k
    p = []
    for f, row in zip(q.f, scores):
        row = [v >> k for v in row]
        d = sum(a * m for a, m in zip(f, row)) >> 11
        assert abs(d) < 2**18
        p.append([a * (m - d) for a, m in zip(f, row)])
    assert largest_magnitude(p) < 2**30
    s = scale_shift(largest_magnitude(p))
    p = round_matrix(p, s, noise.of(P, batch, b, rows, rows))
    q.p = [row + [0] * (rows - len(row)) for row in p]
    q.e_p = F_EXPONENT + e_q + s

    q.t, q.e_t = product(q.p, q.a2), q.e_p + INPUT_EXPONENT
    q.v, q.e_v = product(transpose(q.f), q.r), F_EXPONENT + q.e_r


def common_scale(tensors):
    """The exponent that all sequences' accumulators share after rounding; (matrix, exponent) pairs."""
    return max(e + scale_shift(largest_magnitude(m)) for m, e in tensors)


def divide_half_even(value, shift):
    quotient, rest = value >> shift, value & ((1 << shift) - 1)
    half = (1 << shift) >> 1
    if rest > half or (rest == half and half and quotient & 1):
        quotient += 1
    return quotient


def updated(parameters, gradient, e_gradient, mantissa, shift, e_weight):
    """Step 12."""
    w = e_gradient - shift - (e_weight - 16)

    def change(g):
        d = g * mantissa
        return d << min(w, 20) if w >= 0 else divide_half_even(d, min(-w, 62))

    return [[clamp(p - change(g), -MAX_PARAMETER, MAX_PARAMETER) for p, g in zip(row, gs)]
            for row, gs in zip(parameters, gradient)]


@dataclass
class StepResult:
    x: list
    y: list
    loss: int
    gx: list
    gy: list
    # For the digests of intermediate results.
    xw: list
    yw: list
    sequences: list
    tq: list
    e_t: int
    vq: list
    e_v: int


def train_step(config, data, x, y, seed, step):
    noise = Noise(seed, step)
    rows, batch = config.rows, config.batch
    xw, yw = working_weights(config, x, y, noise)
    sequences = []
    for b, index in enumerate(batch_sequences(config, seed, step, len(data.training))):
        a1, a2, a3, target = data.training[index]
        inputs = [jitter_input(config, a1, noise.of(A1, batch, b, rows, config.width)),
                  jitter_input(config, a2, noise.of(A2, batch, b, rows, config.width)),
                  jitter_input(config, a3, noise.of(A3, batch, b, rows, config.value_width)), target]
        sequence = forward(config, xw, yw, inputs, noise, b)
        backward(config, sequence, noise, b)
        sequences.append(sequence)

    e_t = common_scale([(q.t, q.e_t) for q in sequences])
    e_v = common_scale([(q.v, q.e_v) for q in sequences])
    tq, vq, a1, a3 = [], [], [], []
    for b, q in enumerate(sequences):
        tq += round_matrix(q.t, e_t - q.e_t, noise.of(T, batch, b, rows, config.width))
        vq += round_matrix(q.v, e_v - q.e_v, noise.of(V, batch, b, rows, config.outputs))
        a1 += q.a1
        a3 += q.a3
    gx, gy = product(transpose(a1), tq), product(transpose(a3), vq)
    assert max(largest_magnitude(gx), largest_magnitude(gy)) < 2**31

    x = updated(x, gx, e_t - 10, config.x_rate_mantissa, config.x_rate_shift, config.x_exponent)
    y = updated(y, gy, e_v - 10, config.y_rate_mantissa, config.y_rate_shift, config.y_exponent)
    return StepResult(x, y, wrap64(sum(q.loss for q in sequences)), gx, gy,
                      xw, yw, sequences, tq, e_t, vq, e_v)
