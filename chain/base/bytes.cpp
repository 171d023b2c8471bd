#include "chain/base/bytes.hpp"

#include <cstring>
#include <random>

namespace gradient::chain {

namespace {

__extension__ using u128 = unsigned __int128;

constexpr std::string_view kDigits = "0123456789abcdef";

// The value of a hexadecimal digit, or -1.
int digit_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::uint64_t bucket_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

ByteSpan as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view as_text(ByteSpan bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteSpan bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

bool from_hex(std::string_view text, std::span<std::uint8_t> out) noexcept {
    if (text.size() != 2 * out.size()) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = digit_value(text[2 * i]);
        const int low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = static_cast<std::uint8_t>(16 * high + low);
    }
    return true;
}

std::optional<Bytes> from_hex(std::string_view text) {
    Bytes bytes(text.size() / 2);
    if (!from_hex(text, bytes)) return std::nullopt;
    return bytes;
}

std::string Hash256::to_hex() const {
    return chain::to_hex(bytes);
}

std::optional<Hash256> Hash256::from_hex(std::string_view text) noexcept {
    Hash256 hash;
    if (!chain::from_hex(text, hash.bytes)) return std::nullopt;
    return hash;
}

std::size_t hash_value(const Hash256& hash) noexcept {
    static const std::uint64_t kSeed = bucket_seed();
    std::array<std::uint64_t, 4> limbs{};
    std::memcpy(limbs.data(), hash.bytes.data(), sizeof(limbs));
    std::uint64_t mixed = kSeed;
    for (const std::uint64_t limb : limbs) {
        // Folding the high half of the product in lets every bit reach every other.
        const u128 product = u128{mixed ^ limb} * 0x9E3779B97F4A7C15;
        mixed = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
        mixed += kSeed;
    }
    return mixed;
}

}  // namespace gradient::chain
