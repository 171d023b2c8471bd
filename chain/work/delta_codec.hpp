#pragma once

// The one coding of parameter differences (chain/SPEC.md section 7).
//
// d_i = value_i - base_i as an exact integer, u_i = 2 d_i for d_i >= 0 and -2 d_i - 1 below zero.
// The u_i are cut into blocks of kDeltaBlock, the last one shorter. A block is
//
//   255                       if all its u are zero, and nothing more; else
//   r, then its values        r the Rice parameter, 0..kMaxRice, that makes the block shortest;
//                             the smallest of those that do
//
// and a value is floor(u / 2^r) one bits, a zero bit, and the r low bits of u, lowest first. Bits
// fill bytes from the lowest up, and zero bits fill a block's last byte.

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gradient::chain {

/// Why bytes are not the coding of a difference.
enum class DeltaError : std::uint8_t {
    truncated,       // the bytes end before the last value
    trailing_bytes,  // bytes are left over
    bad_parameter,   // a Rice parameter above kMaxRice that is not 255
    non_canonical,   // another parameter is prescribed, or padding is not zero
    out_of_range,    // base + difference is no 32-bit integer
};

/// Codes value - base. Precondition: both have the same length.
[[nodiscard]] Bytes encode_delta(std::span<const std::int32_t> base,
                                 std::span<const std::int32_t> value);

/// base + difference. Allocates base.size() integers whatever the bytes say.
[[nodiscard]] Result<std::vector<std::int32_t>, DeltaError> decode_delta(
    std::span<const std::int32_t> base, ByteSpan coded);

}  // namespace gradient::chain
