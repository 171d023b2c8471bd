#include "chain/base/u256.hpp"

#include "chain/base/check.hpp"

#include <algorithm>
#include <bit>

namespace gradient::chain {

namespace {

__extension__ using u128 = unsigned __int128;
using Limbs = std::array<std::uint64_t, 4>;

// a * b in eight limbs.
std::array<std::uint64_t, 8> multiply_full(const Limbs& a, const Limbs& b) noexcept {
    std::array<std::uint64_t, 8> product{};
    for (std::size_t i = 0; i < 4; ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            const u128 sum = u128{a[i]} * b[j] + product[i + j] + carry;
            product[i + j] = static_cast<std::uint64_t>(sum);
            carry = static_cast<std::uint64_t>(sum >> 64);
        }
        product[i + 4] = carry;
    }
    return product;
}

// Divides in place by a small number and returns the remainder.
std::uint64_t divide_small(Limbs& limbs, std::uint64_t divisor) noexcept {
    u128 remainder = 0;
    for (std::size_t i = 4; i-- > 0;) {
        const u128 part = (remainder << 64) | limbs[i];
        limbs[i] = static_cast<std::uint64_t>(part / divisor);
        remainder = part % divisor;
    }
    return static_cast<std::uint64_t>(remainder);
}

}  // namespace

U256 U256::from_big_endian(const Hash256& hash) noexcept {
    Limbs limbs{};
    for (std::size_t i = 0; i < 32; ++i) {
        limbs[3 - i / 8] = (limbs[3 - i / 8] << 8) | hash.bytes[i];
    }
    return U256(limbs);
}

Hash256 U256::to_big_endian() const noexcept {
    Hash256 hash;
    for (std::size_t i = 0; i < 32; ++i) {
        hash.bytes[31 - i] = static_cast<std::uint8_t>(limbs_[i / 8] >> (8 * (i % 8)));
    }
    return hash;
}

int U256::bit_length() const noexcept {
    for (std::size_t i = 4; i-- > 0;) {
        if (limbs_[i] != 0)
            return static_cast<int>(64 * i) + static_cast<int>(std::bit_width(limbs_[i]));
    }
    return 0;
}

std::optional<std::uint64_t> U256::to_u64() const noexcept {
    if (bit_length() > 64) return std::nullopt;
    return limbs_[0];
}

double U256::to_double() const noexcept {
    double value = 0;
    for (std::size_t i = 4; i-- > 0;) {
        value = value * 18446744073709551616.0 + static_cast<double>(limbs_[i]);
    }
    return value;
}

std::string U256::to_decimal() const {
    std::string digits;
    Limbs rest = limbs_;
    do {
        digits += static_cast<char>('0' + divide_small(rest, 10));
    } while (rest != Limbs{});
    std::reverse(digits.begin(), digits.end());
    return digits;
}

U256 operator<<(const U256& value, unsigned bits) noexcept {
    Limbs shifted{};
    const std::size_t limbs = bits / 64;
    const unsigned rest = bits % 64;
    for (std::size_t i = limbs; i < 4; ++i) {
        shifted[i] = value.limbs_[i - limbs] << rest;
        if (rest != 0 && i > limbs) shifted[i] |= value.limbs_[i - limbs - 1] >> (64 - rest);
    }
    return U256(shifted);
}

U256 operator>>(const U256& value, unsigned bits) noexcept {
    Limbs shifted{};
    const std::size_t limbs = bits / 64;
    const unsigned rest = bits % 64;
    for (std::size_t i = 0; i + limbs < 4; ++i) {
        shifted[i] = value.limbs_[i + limbs] >> rest;
        if (rest != 0 && i + limbs < 3) shifted[i] |= value.limbs_[i + limbs + 1] << (64 - rest);
    }
    return U256(shifted);
}

U256 operator~(const U256& value) noexcept {
    Limbs flipped{};
    for (std::size_t i = 0; i < 4; ++i) flipped[i] = ~value.limbs_[i];
    return U256(flipped);
}

Result<U256, CodecError> U256::decode_from(Reader& reader) noexcept {
    Limbs limbs{};
    const auto bytes = reader.take(kEncodedSize);
    if (!bytes) return fail(bytes.error());
    for (std::size_t i = 0; i < 32; ++i)
        limbs[i / 8] |= std::uint64_t{(*bytes)[i]} << (8 * (i % 8));
    return U256(limbs);
}

std::optional<U256> checked_add(const U256& a, const U256& b) noexcept {
    Limbs sum{};
    u128 carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        carry += u128{a.limbs()[i]} + b.limbs()[i];
        sum[i] = static_cast<std::uint64_t>(carry);
        carry >>= 64;
    }
    if (carry != 0) return std::nullopt;
    return U256(sum);
}

std::optional<U256> checked_sub(const U256& a, const U256& b) noexcept {
    if (a < b) return std::nullopt;
    Limbs difference{};
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const u128 taken = u128{b.limbs()[i]} + borrow;
        difference[i] = a.limbs()[i] - static_cast<std::uint64_t>(taken);
        borrow = u128{a.limbs()[i]} < taken ? 1 : 0;
    }
    return U256(difference);
}

std::optional<U256> checked_mul(const U256& a, const U256& b) noexcept {
    const auto product = multiply_full(a.limbs(), b.limbs());
    if ((product[4] | product[5] | product[6] | product[7]) != 0) return std::nullopt;
    return U256({product[0], product[1], product[2], product[3]});
}

std::optional<U256> checked_mul(const U256& a, std::uint64_t b) noexcept {
    return checked_mul(a, U256(b));
}

std::optional<U256> checked_shift_left(const U256& a, unsigned bits) noexcept {
    if (a.is_zero()) return a;
    if (bits >= 256 || a.bit_length() + static_cast<int>(bits) > 256) return std::nullopt;
    return a << bits;
}

U256 saturating_add(const U256& a, const U256& b) noexcept {
    return checked_add(a, b).value_or(U256::max());
}

U256 saturating_mul(const U256& a, const U256& b) noexcept {
    return checked_mul(a, b).value_or(U256::max());
}

U256 saturating_mul(const U256& a, std::uint64_t b) noexcept {
    return checked_mul(a, b).value_or(U256::max());
}

U256Division divide(const U256& a, const U256& b) noexcept {
    CHECK(!b.is_zero());
    if (const auto small = b.to_u64()) {
        Limbs quotient = a.limbs();
        const std::uint64_t remainder = divide_small(quotient, *small);
        return {U256(quotient), U256(remainder)};
    }
    // Long division bit by bit; the divisor has more than 64 bits, so there are at most 192 rounds.
    Limbs quotient{};
    U256 remainder = a;
    for (int shift = a.bit_length() - b.bit_length(); shift >= 0; --shift) {
        const auto rest = checked_sub(remainder, b << static_cast<unsigned>(shift));
        if (!rest) continue;
        remainder = *rest;
        quotient[static_cast<std::size_t>(shift) / 64] |= std::uint64_t{1} << (shift % 64);
    }
    return {U256(quotient), remainder};
}

U256 work_of_target(const U256& target) noexcept {
    const auto divisor = checked_add(target, U256(1));
    if (!divisor) return U256(1);
    if (target.is_zero()) return U256::max();
    // 2^256 does not fit, but 2^256 / d = (2^256 - d) / d + 1, and 2^256 - d = ~target.
    return *checked_add(divide(~target, *divisor).quotient, U256(1));
}

std::uint32_t to_compact(const U256& value) noexcept {
    auto size = static_cast<unsigned>(value.bit_length() + 7) / 8;
    std::uint64_t digits =
        size <= 3 ? value.limbs()[0] << (8 * (3 - size)) : (value >> (8 * (size - 3))).limbs()[0];
    // The top bit of the digits would read as a sign.
    if ((digits & 0x800000) != 0) {
        digits >>= 8;
        ++size;
    }
    return static_cast<std::uint32_t>(digits | (size << 24));
}

Result<U256, CompactError> from_compact(std::uint32_t compact) noexcept {
    if ((compact & 0x800000) != 0) return fail(CompactError::negative);
    const unsigned size = compact >> 24;
    const U256 digits(compact & 0x7fffff);
    const auto value = size <= 3 ? std::optional(digits >> (8 * (3 - size)))
                                 : checked_shift_left(digits, 8 * (size - 3));
    if (!value) return fail(CompactError::overflow);
    if (to_compact(*value) != compact) return fail(CompactError::non_canonical);
    return *value;
}

}  // namespace gradient::chain
