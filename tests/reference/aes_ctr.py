"""AES-128 and the random streams of a training unit (model/SPEC.md section 3 and 6.3).

>>> encrypt_block(expand_key(bytes(range(16))), bytes.fromhex("00112233445566778899aabbccddeeff")).hex()
'69c4e0d86a7b0430d8cdb78070b4c55a'
"""

import struct


def _make_sbox():
    """The S-box from its definition: inverse in GF(2^8), then an affine map (FIPS 197, 5.1.1)."""
    exponent, logarithm, value = [0] * 255, [0] * 256, 1
    for power in range(255):
        exponent[power], logarithm[value] = value, power
        value ^= _double(value)  # 3 generates the multiplicative group
    sbox = []
    for byte in range(256):
        inverse = exponent[-logarithm[byte] % 255] if byte else 0
        affine = inverse
        for turn in range(1, 5):
            affine ^= (inverse << turn | inverse >> (8 - turn)) & 255
        sbox.append(affine ^ 0x63)
    return sbox


def _double(value):
    return (value << 1) ^ (0x11B if value & 128 else 0)


SBOX = _make_sbox()

# A state is four columns, each a little-endian 32-bit word. TABLES[row][byte] is what a byte that
# ShiftRows brings to `row` adds to its column: SubBytes, then that column of MixColumns.
TABLES = [[], [], [], []]
for _s in SBOX:
    _two, _three = _double(_s), _double(_s) ^ _s
    _column = (_two, _s, _s, _three)
    for _row in range(4):
        TABLES[_row].append(int.from_bytes(bytes(_column[(i - _row) % 4] for i in range(4)), "little"))
T0, T1, T2, T3 = TABLES

_WORDS = struct.Struct("<4I")


def round_columns(c, k):
    """ShiftRows, SubBytes, MixColumns, AddRoundKey."""
    a, b, d, e = c
    return (
        T0[a & 255] ^ T1[b >> 8 & 255] ^ T2[d >> 16 & 255] ^ T3[e >> 24] ^ k[0],
        T0[b & 255] ^ T1[d >> 8 & 255] ^ T2[e >> 16 & 255] ^ T3[a >> 24] ^ k[1],
        T0[d & 255] ^ T1[e >> 8 & 255] ^ T2[a >> 16 & 255] ^ T3[b >> 24] ^ k[2],
        T0[e & 255] ^ T1[a >> 8 & 255] ^ T2[b >> 16 & 255] ^ T3[d >> 24] ^ k[3],
    )


def _last_round(c, k):
    """ShiftRows, SubBytes, AddRoundKey."""
    return tuple(
        SBOX[c[i] & 255]
        ^ SBOX[c[(i + 1) % 4] >> 8 & 255] << 8
        ^ SBOX[c[(i + 2) % 4] >> 16 & 255] << 16
        ^ SBOX[c[(i + 3) % 4] >> 24] << 24
        ^ k[i]
        for i in range(4)
    )


def expand_key(key):
    """Eleven round keys of four words (FIPS 197, 5.2)."""
    words, constant = list(_WORDS.unpack(key)), 1
    while len(words) < 44:
        word = words[-1]
        if len(words) % 4 == 0:
            turned = word >> 8 | (word & 255) << 24
            word = int.from_bytes(bytes(SBOX[b] for b in turned.to_bytes(4, "little")), "little")
            word ^= constant
            constant = _double(constant)
        words.append(words[-4] ^ word)
    return [tuple(words[i : i + 4]) for i in range(0, 44, 4)]


def _encrypt_columns(round_keys, columns):
    columns = tuple(c ^ k for c, k in zip(columns, round_keys[0]))
    for key in round_keys[1:10]:
        columns = round_columns(columns, key)
    return _last_round(columns, round_keys[10])


def encrypt_block(round_keys, block):
    return _WORDS.pack(*_encrypt_columns(round_keys, _WORDS.unpack(block)))


def aesenc(block, round_key):
    """One AES round, as the instruction of that name."""
    return _WORDS.pack(*round_columns(_WORDS.unpack(block), _WORDS.unpack(round_key)))


def stream_bytes(seed, step, stream, count):
    """Bytes 0 .. count-1 of a stream in a step of a unit."""
    round_keys, mask = expand_key(seed[:16]), seed[16:32]
    m0, m1, m2, m3 = _WORDS.unpack(mask)
    out = bytearray()
    for i in range((count + 15) // 16):
        block = (m0 ^ i & 0xFFFFFFFF, m1 ^ i >> 32, m2 ^ step, m3 ^ stream)
        out += _WORDS.pack(*_encrypt_columns(round_keys, block))
    return bytes(out[:count])
