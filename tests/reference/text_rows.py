"""Text as a data set (model/SPEC.md section 5.1).

Sequences are made when they are asked for: [A1, A2, A3, B], a matrix being a list of rows.
"""

ONE = 1024
MASK = 0xFFFFFFFF
REGISTERS = 16
WIDTH, VALUE_WIDTH, OUTPUTS = 128, 256, 64


def mix(x):
    x ^= x >> 16
    x = x * 0x7FEB352D & MASK
    x ^= x >> 15
    x = x * 0x846CA68B & MASK
    return x ^ x >> 16


def hashed(tokens, columns):
    """The column that a hash group marks for these tokens."""
    h = 1
    for t in tokens:
        h = mix(131 * h + t + 1 & MASK)
    return mix(h + 0x9E3779B9 & MASK) % columns


def marked(groups, register=None):
    """One row: in each group (column, columns) one entry is 1; last, the register group."""
    row = []
    for column, columns in groups:
        row += [ONE if i == column else 0 for i in range(columns)]
    return row + [ONE if i == register else 0 for i in range(REGISTERS)]


def rows_at(t0, t1, t2, t3, row):
    """The rows of A1, A2, A3 for a token and the three before it; `row` counts within the sequence."""
    keys = [(min(t0, 39), 40), (min(t1, 31), 32), (min(t2, 23), 24), (min(t3, 15), 16)]
    values = [(t0, 64), (t1, 64), (hashed([t1, t0], 64), 64), (hashed([t2, t1, t0], 48), 48)]
    a1 = marked(keys, hashed([t1, t0], 16))
    if row < REGISTERS:
        keys, values = ([(None, columns) for _, columns in groups] for groups in (keys, values))
        return a1, marked(keys, row), marked(values, row)
    return a1, marked(keys), marked(values)


def sequence(tokens, first, rows):
    """The sequence whose row 0 stands at token `first`; its targets where the text goes on."""
    a1, a2, a3, b = [], [], [], []
    for row, position in enumerate(range(first, first + rows)):
        t3, t2, t1, t0 = tokens[position - 3 : position + 1]
        for matrix, line in zip((a1, a2, a3), rows_at(t0, t1, t2, t3, row)):
            matrix.append(line)
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        b.append([ONE if i == following else 0 for i in range(OUTPUTS)])
    return [a1, a2, a3, b]


def prompt(tokens, rows):
    """A1, A2, A3 whose last row predicts the token after `tokens`."""
    padded = ([0] * (rows + 3) + list(tokens))[-(rows + 3) :]
    return sequence(padded, 3, rows)[:3]


class Sequences:
    """Sequence i has its row 0 at token 3 + i * stride."""

    def __init__(self, tokens, rows, stride, count):
        self.tokens, self.rows, self.stride, self.count = tokens, rows, stride, max(count, 0)

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        return sequence(self.tokens, 3 + i * self.stride, self.rows)


class TextDataSet:
    context_rows = REGISTERS

    def __init__(self, text, rows):
        size = len(text) - len(text) // 10
        counts = [0] * 256
        for byte in text[:size]:
            counts[byte] += 1
        ranked = sorted((byte for byte in range(256) if counts[byte]), key=lambda b: (-counts[b], b))
        token = {byte: rank for rank, byte in enumerate(ranked[:63])}
        tokens = bytes(token.get(byte, 63) for byte in text)
        self.training_tokens, self.held_out_tokens = tokens[:size], tokens[size:]
        self.training = Sequences(self.training_tokens, rows, 1, size - rows - 3)
        stride = rows - REGISTERS
        self.held_out = Sequences(self.held_out_tokens, rows, stride,
                                  (len(self.held_out_tokens) - rows - 4) // stride + 1)
