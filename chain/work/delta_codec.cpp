#include "chain/work/delta_codec.hpp"

#include "chain/base/check.hpp"
#include "chain/types/limits.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace gradient::chain {

namespace {

constexpr std::uint8_t kZeroBlock = 255;

// u_i of one block, zero-mapped so that small differences of either sign are small.
using ZigzagBlock = std::array<std::uint64_t, kDeltaBlock>;

std::uint64_t zigzag(std::int64_t difference) noexcept {
    return (static_cast<std::uint64_t>(difference) << 1) ^
           static_cast<std::uint64_t>(difference >> 63);
}

std::int64_t unzigzag(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Bits of the values under one parameter.
std::uint64_t coded_bits(std::span<const std::uint64_t> values, unsigned rice) noexcept {
    std::uint64_t bits = values.size() * (rice + 1);
    for (const std::uint64_t value : values) bits += value >> rice;
    return bits;
}

// The prescribed parameter byte. With sum S and n values, coded_bits(r) lies between n r + floor(S
// / 2^r) and n (r + 1) + floor(S / 2^r), so that few parameters need the exact count.
std::uint8_t choose_parameter(std::span<const std::uint64_t> values) noexcept {
    const std::uint64_t count = values.size();
    std::uint64_t sum = 0;
    for (const std::uint64_t value : values) sum += value;
    if (sum == 0) return kZeroBlock;
    std::uint64_t enough = std::numeric_limits<std::uint64_t>::max();
    for (unsigned rice = 0; rice <= kMaxRice; ++rice) {
        enough = std::min(enough, count * (rice + 1) + (sum >> rice));
    }
    std::uint64_t best = std::numeric_limits<std::uint64_t>::max();
    unsigned chosen = 0;
    for (unsigned rice = 0; rice <= kMaxRice; ++rice) {
        const std::uint64_t least = count * rice + (sum >> rice);
        if (least > enough || least >= best) continue;
        const std::uint64_t bits = coded_bits(values, rice);
        if (bits >= best) continue;
        best = bits;
        chosen = rice;
    }
    return static_cast<std::uint8_t>(chosen);
}

// Appends bits, lowest first.
class BitWriter {
  public:
    explicit BitWriter(Bytes& out) noexcept : out_(out) {}

    // The `count` <= 56 low bits of `bits`; higher ones must be zero.
    void append(std::uint64_t bits, unsigned count) {
        pending_ |= bits << filled_;
        filled_ += count;
        while (filled_ >= 8) {
            out_.push_back(static_cast<std::uint8_t>(pending_));
            pending_ >>= 8;
            filled_ -= 8;
        }
    }

    void append_ones(std::uint64_t count) {
        constexpr unsigned kStep = 32;
        for (; count >= kStep; count -= kStep) append(0xffffffff, kStep);
        append((std::uint64_t{1} << count) - 1, static_cast<unsigned>(count));
    }

    void pad_to_byte() {
        if (filled_ > 0) append(0, 8 - filled_);
    }

  private:
    Bytes& out_;
    std::uint64_t pending_ = 0;
    unsigned filled_ = 0;
};

// Takes bits, lowest first. Behind the end there are zeros; overrun() tells.
class BitReader {
  public:
    explicit BitReader(ByteSpan bytes) noexcept : bytes_(bytes) {}

    // At least 56 bits from here on.
    [[nodiscard]] std::uint64_t peek() const noexcept {
        const std::size_t first = position_ / 8;
        std::uint64_t word = 0;
        if (first + 8 <= bytes_.size()) {
            const std::uint8_t* from = bytes_.data() + first;
            for (unsigned i = 0; i < 8; ++i) word |= std::uint64_t{from[i]} << (8 * i);
        } else {
            for (std::size_t i = first; i < bytes_.size(); ++i) {
                word |= std::uint64_t{bytes_[i]} << (8 * (i - first));
            }
        }
        return word >> (position_ % 8);
    }

    void skip(unsigned bits) noexcept { position_ += bits; }

    [[nodiscard]] std::uint64_t take_ones() noexcept {
        constexpr unsigned kStep = 56;
        std::uint64_t total = 0;
        for (;;) {
            const auto ones = std::min(static_cast<unsigned>(std::countr_one(peek())), kStep);
            total += ones;
            skip(ones);
            if (ones < kStep) return total;
        }
    }

    [[nodiscard]] std::uint64_t take(unsigned bits) noexcept {
        const std::uint64_t taken = peek() & ((std::uint64_t{1} << bits) - 1);
        skip(bits);
        return taken;
    }

    [[nodiscard]] bool overrun() const noexcept { return position_ > 8 * bytes_.size(); }
    [[nodiscard]] unsigned padding() const noexcept {
        return static_cast<unsigned>(-position_ % 8);
    }
    [[nodiscard]] std::size_t bytes_read() const noexcept { return (position_ + 7) / 8; }

  private:
    ByteSpan bytes_;
    std::size_t position_ = 0;  // bits
};

void encode_block(std::span<const std::uint64_t> values, Bytes& out) {
    const std::uint8_t parameter = choose_parameter(values);
    out.push_back(parameter);
    if (parameter == kZeroBlock) return;
    BitWriter writer(out);
    for (const std::uint64_t value : values) {
        writer.append_ones(value >> parameter);
        const std::uint64_t low = value & ((std::uint64_t{1} << parameter) - 1);
        writer.append(low << 1, parameter + 1U);  // the zero bit, then the low bits
    }
    writer.pad_to_byte();
}

// Fills `values` from the front of `coded`, which it shortens.
Result<void, DeltaError> decode_block(ByteSpan& coded, std::span<std::uint64_t> values) noexcept {
    if (coded.empty()) return fail(DeltaError::truncated);
    const std::uint8_t parameter = coded[0];
    coded = coded.subspan(1);
    if (parameter == kZeroBlock) {
        std::fill(values.begin(), values.end(), 0);
        return {};
    }
    if (parameter > kMaxRice) return fail(DeltaError::bad_parameter);
    BitReader reader(coded);
    for (std::uint64_t& value : values) {
        const std::uint64_t quotient = reader.take_ones();
        if (quotient >> (kMaxRice - parameter) != 0) return fail(DeltaError::out_of_range);
        value = (quotient << parameter) | (reader.take(parameter + 1U) >> 1);
        if (reader.overrun()) return fail(DeltaError::truncated);
    }
    if (reader.take(reader.padding()) != 0) return fail(DeltaError::non_canonical);
    if (choose_parameter(values) != parameter) return fail(DeltaError::non_canonical);
    coded = coded.subspan(reader.bytes_read());
    return {};
}

}  // namespace

Bytes encode_delta(std::span<const std::int32_t> base, std::span<const std::int32_t> value) {
    CHECK(base.size() == value.size());
    Bytes out;
    out.reserve(value.size() * 2);
    ZigzagBlock block;
    for (std::size_t first = 0; first < value.size(); first += kDeltaBlock) {
        const std::size_t count = std::min<std::size_t>(kDeltaBlock, value.size() - first);
        for (std::size_t i = 0; i < count; ++i) {
            block[i] = zigzag(std::int64_t{value[first + i]} - base[first + i]);
        }
        encode_block(std::span(block).first(count), out);
    }
    return out;
}

Result<std::vector<std::int32_t>, DeltaError> decode_delta(std::span<const std::int32_t> base,
                                                           ByteSpan coded) {
    std::vector<std::int32_t> value(base.size());
    ZigzagBlock block;
    for (std::size_t first = 0; first < base.size(); first += kDeltaBlock) {
        const std::size_t count = std::min<std::size_t>(kDeltaBlock, base.size() - first);
        TRY(decode_block(coded, std::span(block).first(count)));
        for (std::size_t i = 0; i < count; ++i) {
            const std::int64_t sum = base[first + i] + unzigzag(block[i]);
            if (sum != static_cast<std::int32_t>(sum)) return fail(DeltaError::out_of_range);
            value[first + i] = static_cast<std::int32_t>(sum);
        }
    }
    if (!coded.empty()) return fail(DeltaError::trailing_bytes);
    return value;
}

}  // namespace gradient::chain
