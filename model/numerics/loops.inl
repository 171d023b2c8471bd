// The element-wise half of a kernel table: plain integer loops, compiled once per instruction set.
// Included inside an anonymous namespace by kernels_*.cpp after product.inl's traits; no function
// here may have external linkage, since each translation unit has its own instruction set.

using std::int16_t;
using std::int32_t;
using std::int64_t;
using std::size_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

inline int32_t clamp_to(int32_t value, int32_t limit) noexcept {
    value = value < limit ? value : limit;
    return value > -limit ? value : -limit;
}

/// 2 noise - 255 + 128: the noise and the half of round_shift in one term.
inline int32_t noise_term(uint8_t noise) noexcept { return 2 * int32_t{noise} - 127; }

inline int32_t round_coarse(int32_t acc, int32_t term, int shift) noexcept {
    return (acc + (term << (shift - 8))) >> shift;
}

inline int32_t round_fine(int32_t acc, int32_t term, int shift) noexcept {
    return ((acc << (8 - shift)) + term) >> 8;
}

inline void round_loop(const int32_t* __restrict acc, const uint8_t* __restrict noise,
                       int16_t* __restrict out, size_t count, int shift) noexcept {
    if (shift > 24) {
        const int extra = shift - 24 < 31 ? shift - 24 : 31;
        if (noise == nullptr) {
            for (size_t i = 0; i < count; ++i)
                out[i] = static_cast<int16_t>(round_coarse(acc[i] >> extra, 128, 24));
        } else {
            for (size_t i = 0; i < count; ++i)
                out[i] =
                    static_cast<int16_t>(round_coarse(acc[i] >> extra, noise_term(noise[i]), 24));
        }
    } else if (shift >= 8) {
        if (noise == nullptr) {
            for (size_t i = 0; i < count; ++i)
                out[i] = static_cast<int16_t>(round_coarse(acc[i], 128, shift));
        } else {
            for (size_t i = 0; i < count; ++i)
                out[i] = static_cast<int16_t>(round_coarse(acc[i], noise_term(noise[i]), shift));
        }
    } else if (noise == nullptr) {
        for (size_t i = 0; i < count; ++i)
            out[i] = static_cast<int16_t>(round_fine(acc[i], 128, shift));
    } else {
        for (size_t i = 0; i < count; ++i)
            out[i] = static_cast<int16_t>(round_fine(acc[i], noise_term(noise[i]), shift));
    }
}

void round_values(const int32_t* acc, const uint8_t* noise, int16_t* out, size_t count,
                  int shift) noexcept {
    round_loop(acc, noise, out, count, shift);
}

/// The product h * amplitude + 128 stays within 16 bits for amplitudes up to this.
constexpr int32_t kNarrowAmplitude = 127;

void jitter_values(const int16_t* __restrict base, const uint8_t* __restrict noise,
                   int16_t* __restrict out, size_t count, int32_t amplitude) noexcept {
    if (amplitude <= kNarrowAmplitude) {
        const auto factor = static_cast<int16_t>(amplitude);
        for (size_t i = 0; i < count; ++i) {
            const auto h = static_cast<int16_t>(2 * noise[i] - 255);
            const auto scaled = static_cast<int16_t>(h * factor + 128);
            const auto moved = static_cast<int16_t>(base[i] + (scaled >> 8));
            const int16_t below = moved < int16_t{2047} ? moved : int16_t{2047};
            out[i] = below > int16_t{-2047} ? below : int16_t{-2047};
        }
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        const int32_t h = 2 * int32_t{noise[i]} - 255;
        const int32_t moved = base[i] + ((h * amplitude + 128) >> 8);
        out[i] = static_cast<int16_t>(clamp_to(moved, 2047));
    }
}

inline size_t round_up_16(size_t value) noexcept { return (value + 15) & ~size_t{15}; }

/// Columns of row i that are not masked.
inline size_t visible(size_t i, size_t n, bool causal) noexcept { return causal ? i + 1 : n; }

/// How step 3 brings a distance of scores to units of 2^-12.
struct ScoreScale {
    int right, left;
    uint32_t first_limit;
};

/// Calls `row(i, valid, padded)` for every row, `padded` being its visible columns rounded up to 16:
/// a compile-time number up to 64, so that the loops over short rows are straight lines.
template <class Row>
inline void for_each_row(size_t n, bool causal, Row row) noexcept {
    for (size_t i = 0; i < n; ++i) {
        const auto valid = static_cast<int32_t>(visible(i, n, causal));
        switch ((valid + 15) / 16) {
            case 1: row(i, valid, std::integral_constant<int32_t, 16>{}); break;
            case 2: row(i, valid, std::integral_constant<int32_t, 32>{}); break;
            case 3: row(i, valid, std::integral_constant<int32_t, 48>{}); break;
            case 4: row(i, valid, std::integral_constant<int32_t, 64>{}); break;
            default: row(i, valid, (valid + 15) / 16 * 16); break;
        }
    }
}

template <class Padded>
inline void softmax_row(const int32_t* __restrict row, const uint8_t* __restrict noise,
                        int16_t* __restrict out, int32_t valid, Padded padded,
                        ScoreScale scale) noexcept {
    alignas(64) int32_t e[256];
    int32_t largest = row[0];
    for (int32_t j = 0; j < padded; ++j) {
        const int32_t score = j < valid ? row[j] : row[0];
        largest = largest > score ? largest : score;
    }
    uint32_t sum = 0;
    for (int32_t j = 0; j < padded; ++j) {
        uint32_t z = static_cast<uint32_t>(largest) - static_cast<uint32_t>(row[j]);
        z = z >> scale.right;
        z = z < scale.first_limit ? z : scale.first_limit;
        z = z << scale.left;
        const uint32_t y0 = z < 131071U ? z : 131071U;
        const uint32_t y = (y0 * 5909U) >> 12;
        const auto octave = static_cast<int32_t>(y >> 12);
        const auto x = static_cast<int32_t>(y & 4095U);
        int32_t p = 15511 - ((2844 * x) >> 12);
        p = 45446 - ((p * x) >> 12);
        p = 65536 - ((p * x) >> 12);
        const int32_t value = p >> (octave < 17 ? octave : 17);
        e[j] = j < valid ? value : 0;
        sum += static_cast<uint32_t>(e[j]);
    }
    const int c = 31 - __builtin_clz(sum) - 16;
    const auto g = static_cast<int32_t>((uint64_t{1} << (30 + c)) / sum);
    const int shift = 19 + c;
    if (noise == nullptr) {
        for (int32_t j = 0; j < padded; ++j) {
            const int32_t q = round_coarse(e[j] * g, 128, shift);
            out[j] = static_cast<int16_t>(j < valid ? clamp_to(q, 2047) : 0);
        }
    } else {
        for (int32_t j = 0; j < padded; ++j) {
            const int32_t q = round_coarse(e[j] * g, noise_term(noise[j]), shift);
            out[j] = static_cast<int16_t>(j < valid ? clamp_to(q, 2047) : 0);
        }
    }
}

void softmax_rows(const int32_t* scores, const uint8_t* noise, int16_t* f, size_t n, bool causal,
                  int k) noexcept {
    const ScoreScale scale{k >= 0 ? (k < 31 ? k : 31) : 0, k >= 0 ? 0 : (-k < 14 ? -k : 14),
                           k >= 0 ? 0xffffffffU : 131071U};
    for_each_row(n, causal, [&](size_t i, int32_t valid, auto padded) noexcept {
        int16_t* out = f + i * n;
        softmax_row(scores + i * n, noise == nullptr ? nullptr : noise + i * n, out, valid, padded,
                    scale);
        for (size_t j = static_cast<size_t>(static_cast<int32_t>(padded)); j < n; ++j) out[j] = 0;
    });
}

uint32_t residual_values(int32_t* __restrict acc, const int16_t* __restrict target, size_t count,
                         int shift) noexcept {
    int32_t high = 0;
    int32_t low = 0;
    for (size_t i = 0; i < count; ++i) {
        const int32_t value = acc[i] - (int32_t{target[i]} << shift);
        acc[i] = value;
        high = high > value ? high : value;
        low = low < value ? low : value;
    }
    return static_cast<uint32_t>(high > -low ? high : -low);
}

int64_t sum_of_squares(const int16_t* __restrict values, size_t count) noexcept {
    // Blocks of 256 squares of at most 2047^2 fit 31 bits; the sum of blocks is kept in 64.
    int64_t total = 0;
    for (size_t i = 0; i < count; i += 256) {
        const size_t end = count - i < 256 ? count : i + 256;
        int32_t block = 0;
        for (size_t j = i; j < end; ++j) block += int32_t{values[j]} * values[j];
        total += block;
    }
    return total;
}

/// max |q| of the visible part of a row.
template <class Padded>
inline int32_t row_magnitude(const int32_t* __restrict row, int32_t valid, Padded padded) noexcept {
    int32_t high = 0;
    int32_t low = 0;
    for (int32_t j = 0; j < padded; ++j) {
        const int32_t value = j < valid ? row[j] : 0;
        high = high > value ? high : value;
        low = low < value ? low : value;
    }
    return high > -low ? high : -low;
}

int score_shift_of(const int32_t* q, size_t n, bool causal) noexcept {
    int32_t largest = 0;
    for_each_row(n, causal, [&](size_t i, int32_t valid, auto padded) noexcept {
        const int32_t magnitude = row_magnitude(q + i * n, valid, padded);
        largest = largest > magnitude ? largest : magnitude;
    });
    int k = 0;
    while (static_cast<uint64_t>(largest) > (uint64_t{131071} << k)) ++k;
    return k;
}

/// One row of P in place of Q; returns its largest magnitude. Masked entries of F are zero, so that
/// they drop out of the sum and of P by themselves.
template <class Padded>
inline int32_t softmax_backward_row(int32_t* __restrict row, const int16_t* __restrict weights,
                                    Padded padded, int k) noexcept {
    uint32_t sum = 0;
    for (int32_t j = 0; j < padded; ++j) {
        const int32_t value = row[j] >> k;
        row[j] = value;
        sum += static_cast<uint32_t>(value) * static_cast<uint32_t>(weights[j]);
    }
    const int32_t mean = static_cast<int32_t>(sum) >> 11;
    int32_t high = 0;
    int32_t low = 0;
    for (int32_t j = 0; j < padded; ++j) {
        const int32_t w = weights[j];
        const int32_t value = w * ((w != 0 ? row[j] : mean) - mean);
        row[j] = value;
        high = high > value ? high : value;
        low = low < value ? low : value;
    }
    return high > -low ? high : -low;
}

uint32_t softmax_backward_rows(int32_t* q, const int16_t* f, size_t n, bool causal,
                               int k) noexcept {
    int32_t largest = 0;
    for_each_row(n, causal, [&](size_t i, int32_t /*valid*/, auto padded) noexcept {
        const int32_t magnitude = softmax_backward_row(q + i * n, f + i * n, padded, k);
        largest = largest > magnitude ? largest : magnitude;
    });
    return static_cast<uint32_t>(largest);
}

void round_score_rows(const int32_t* __restrict acc, const uint8_t* __restrict noise,
                      int16_t* __restrict out, size_t n, bool causal, int shift) noexcept {
    for (size_t i = 0; i < n; ++i) {
        const size_t valid = visible(i, n, causal);
        const size_t padded = round_up_16(valid);
        round_loop(acc + i * n, noise + i * n, out + i * n, padded, shift);
        for (size_t j = valid; j < n; ++j) out[i * n + j] = 0;
    }
}

void update_values(int32_t* __restrict x, const int32_t* __restrict g, size_t count,
                   UpdateRule rule) noexcept {
    const auto mantissa = static_cast<int64_t>(rule.mantissa);
    constexpr int64_t kBound = int64_t{2} * kParameterLimit;
    if (rule.shift >= 0) {
        const int left = rule.shift < 20 ? rule.shift : 20;
        for (size_t i = 0; i < count; ++i) {
            int64_t moved = x[i] - ((g[i] * mantissa) << left);
            moved = moved < kParameterLimit ? moved : kParameterLimit;
            moved = moved > -kParameterLimit ? moved : -kParameterLimit;
            x[i] = static_cast<int32_t>(moved);
        }
        return;
    }
    const int right = -rule.shift < 62 ? -rule.shift : 62;
    // Half to even: add just under a half, plus one where the quotient is odd.
    const int64_t half = (int64_t{1} << (right - 1)) - 1;
    for (size_t i = 0; i < count; ++i) {
        const int64_t d = g[i] * mantissa;
        int64_t step = (d + half + ((d >> right) & 1)) >> right;
        step = step < kBound ? step : kBound;
        step = step > -kBound ? step : -kBound;
        x[i] = clamp_to(x[i] - static_cast<int32_t>(step), kParameterLimit);
    }
}

uint64_t displacement_of(const int32_t* __restrict before, const int32_t* __restrict after,
                         size_t count) noexcept {
    uint64_t total = 0;
    for (size_t i = 0; i < count; ++i) {
        const int32_t v = after[i] - before[i];
        const auto magnitude = static_cast<uint64_t>((v < 0 ? -v : v) >> 6);
        total += magnitude * magnitude;
    }
    return total;
}
