"""Mantissas, rounding, scales and exact products (model/SPEC.md section 1).

Python's integers do not overflow; the assertions here are the bounds the specification proves, so
that a vector which breaks one is an error of the specification and not a silent difference.
"""

from operator import mul

MAX_MANTISSA = 2047
SCALE_LIMIT = 2045
MAX_PARAMETER = SCALE_LIMIT << 16
MAX_ROUNDED = 2**31 - 2**25


def clamp(value, low, high):
    return low if value < low else high if value > high else value


def round_shift(a, s, h):
    """a / 2^s with the noise h/256 added, to the nearest integer (section 1.1)."""
    assert abs(a) <= MAX_ROUNDED and s >= 0 and abs(h) <= 255
    if s > 24:
        a, s = a >> min(s - 24, 31), 24
    if s >= 8:
        return (a + ((h + 128) << (s - 8))) >> s
    assert abs(a) <= SCALE_LIMIT << s
    return ((a << (8 - s)) + h + 128) >> 8


def scale_shift(largest):
    """The smallest shift that brings the magnitude `largest` within 2045 (section 1.2)."""
    s = 0
    while largest > SCALE_LIMIT << s:
        s += 1
    return s


def largest_magnitude(matrix):
    return max((abs(v) for row in matrix for v in row), default=0)


def round_matrix(matrix, s, noise):
    """round_shift of every entry; `noise` gives the h of an entry, row by row."""
    rounded = [[round_shift(a, s, h) for a, h in zip(row, hs)] for row, hs in zip(matrix, noise)]
    assert largest_magnitude(rounded) <= MAX_MANTISSA
    return rounded


def transpose(matrix):
    return list(zip(*matrix))


def product_transposed(a, b):
    """A B^T: entry (i, j) is row i of A times row j of B."""
    assert len(a[0]) == len(b[0]) <= 512
    return [[sum(map(mul, row, other)) for other in b] for row in a]


def product(a, b):
    """A B."""
    return product_transposed(a, transpose(b))


def wrap64(value):
    """Two's complement of 64 bits."""
    return (value + 2**63) % 2**64 - 2**63
