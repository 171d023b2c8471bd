// Products of 16-bit mantissas on multiply-add-pairs instructions, over a `Lane` type that names one
// vector of 32-bit accumulators. Included inside an anonymous namespace by kernels_*.cpp after
// `Lane`; see loops.inl for why nothing here has external linkage.
//
// Operands are read as pairs of mantissas adjacent along the inner dimension (one 32-bit word).
// `A` is addressed by two strides, so that the same tile serves A and A^T; `B` is packed with the
// pairs of one inner index side by side.

using Pair = std::int32_t;

struct Strided {
    const Pair* words;
    std::size_t inner;  ///< distance of consecutive inner pairs
    std::size_t row;    ///< distance of consecutive rows of the result
};

/// Interleaves rows 2k and 2k+1: out[k][j] = (in[2k][j], in[2k+1][j]).
void pack_row_pairs(const std::int16_t* __restrict in, std::size_t rows, std::size_t columns,
                    Pair* __restrict out) noexcept {
    for (std::size_t k = 0; k < rows; k += 2) {
        const std::int16_t* __restrict even = in + k * columns;
        const std::int16_t* __restrict odd = even + columns;
        Pair* __restrict words = out + (k / 2) * columns;
        for (std::size_t j = 0; j < columns; j += 16)
            Lane::interleave_16(even + j, odd + j, words + j);
    }
}

/// Transposes a matrix of pairs: out[k][i] = in[i][k], k counting pairs.
void pack_transposed_pairs(const std::int16_t* __restrict in, std::size_t rows,
                           std::size_t columns, Pair* __restrict out) noexcept {
    const std::size_t pairs = columns / 2;
    constexpr std::size_t kBlock = 16;
    for (std::size_t i0 = 0; i0 < rows; i0 += kBlock)
        for (std::size_t k0 = 0; k0 < pairs; k0 += 8)
            Lane::transpose_16_by_8(in + (i0 * columns) + 2 * k0, columns, out + k0 * rows + i0,
                                    rows);
}

void pack_rows(const std::int16_t* b, std::size_t k, std::size_t n, std::int16_t* out) noexcept {
    pack_row_pairs(b, k, n, reinterpret_cast<Pair*>(out));
}

template <std::size_t kRows, std::size_t kLanes>
inline typename Lane::Register tile(Strided a, const Pair* b, std::size_t b_stride,
                                    std::int32_t* c, std::size_t c_stride, std::size_t pairs,
                                    typename Lane::Register largest) noexcept {
    // Unrolled in full, so that the accumulators stay in registers from the first to the last line.
    typename Lane::Register acc[kRows][kLanes];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 4
        for (std::size_t j = 0; j < kLanes; ++j) acc[i][j] = Lane::zero();
    for (std::size_t k = 0; k < pairs; ++k) {
        typename Lane::Register column[kLanes];
#pragma GCC unroll 4
        for (std::size_t j = 0; j < kLanes; ++j)
            column[j] = Lane::load(b + k * b_stride + j * Lane::kWidth);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < kRows; ++i) {
            const typename Lane::Register row = Lane::broadcast(a.words[k * a.inner + i * a.row]);
#pragma GCC unroll 4
            for (std::size_t j = 0; j < kLanes; ++j)
                acc[i][j] = Lane::multiply_add(acc[i][j], row, column[j]);
        }
    }
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 4
        for (std::size_t j = 0; j < kLanes; ++j) {
            Lane::store(c + i * c_stride + j * Lane::kWidth, acc[i][j]);
            largest = Lane::max_magnitude(largest, acc[i][j]);
        }
    return largest;
}

constexpr std::size_t kTileRows = 4;

/// One row block times `columns` columns of B (a multiple of 16).
inline typename Lane::Register row_block(Strided a, const Pair* b, std::size_t b_stride,
                                         std::int32_t* c, std::size_t c_stride,
                                         std::size_t columns, std::size_t pairs,
                                         typename Lane::Register largest) noexcept {
    constexpr std::size_t kWide = Lane::kTileLanes * Lane::kWidth;
    std::size_t j = 0;
    for (; j + kWide <= columns; j += kWide)
        largest = tile<kTileRows, Lane::kTileLanes>(a, b + j, b_stride, c + j, c_stride, pairs,
                                                    largest);
    if constexpr (kWide == 64) {
        if (columns - j == 48) {
            largest = tile<kTileRows, 3>(a, b + j, b_stride, c + j, c_stride, pairs, largest);
        } else if (columns - j == 32) {
            largest = tile<kTileRows, 2>(a, b + j, b_stride, c + j, c_stride, pairs, largest);
        } else if (columns - j == 16) {
            largest = tile<kTileRows, 1>(a, b + j, b_stride, c + j, c_stride, pairs, largest);
        }
    }
    return largest;
}

std::uint32_t multiply(const ProductShape& shape, const std::int16_t* a, const std::int16_t* b,
                       std::int32_t* c, std::byte* pack) noexcept {
    const auto [form, mask, m, n, k, is_packed] = shape;
    auto* const space = reinterpret_cast<Pair*>(pack);
    auto* const packed_a = space + kPackBytes / 2 / sizeof(Pair);
    const Pair* packed_b = space;
    if (is_packed) {
        packed_b = reinterpret_cast<const Pair*>(b);
    } else if (form == Form::abt) {
        pack_transposed_pairs(b, n, k, space);
    } else {
        pack_row_pairs(b, k, n, space);
    }
    Strided left{};
    if (form == Form::atb) {
        pack_row_pairs(a, k, m, packed_a);
        left = {packed_a, m, 1};
    } else {
        left = {reinterpret_cast<const Pair*>(a), 1, k / 2};
    }
    typename Lane::Register largest = Lane::zero();
    // Wide results are cut into panels, so that the panel of B stays in the first-level cache.
    const std::size_t panel = mask == Mask::lower_result ? n : std::size_t{64};
    for (std::size_t j0 = 0; j0 < n; j0 += panel) {
        const std::size_t width = n - j0 < panel ? n - j0 : panel;
        for (std::size_t i = 0; i < m; i += kTileRows) {
            std::size_t first = 0;
            std::size_t last = k / 2;
            std::size_t columns = width;
            if (mask == Mask::lower_a && form == Form::atb) first = i / 2;
            if (mask == Mask::lower_a && form == Form::ab) last = (i + kTileRows) / 2;
            if (mask == Mask::lower_result) columns = (i / 16 + 1) * 16;
            const Strided rows{left.words + i * left.row + first * left.inner, left.inner,
                               left.row};
            largest = row_block(rows, packed_b + first * n + j0, n, c + i * n + j0, n, columns,
                                last - first, largest);
        }
    }
    return mask == Mask::lower_result ? 0 : Lane::reduce_max(largest);
}
