#include "chain/crypto/bech32m.hpp"

#include "chain/base/check.hpp"

#include <algorithm>
#include <array>

namespace gradient::chain {

namespace {

constexpr std::string_view kDigits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kMaxLength = 90;
constexpr std::size_t kChecksumLength = 6;
constexpr std::uint32_t kChecksumConstant = 0x2bc830a3;

// BIP 173's code over GF(32), one digit at a time.
std::uint32_t polymod_step(std::uint32_t checksum, std::uint8_t digit) noexcept {
    constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                                         0x3d4233dd, 0x2a1462b3};
    const std::uint32_t top = checksum >> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ digit;
    for (std::size_t i = 0; i < kGenerator.size(); ++i) {
        if ((top >> i & 1) != 0) checksum ^= kGenerator[i];
    }
    return checksum;
}

std::uint32_t polymod(std::string_view prefix, ByteSpan digits) noexcept {
    std::uint32_t checksum = 1;
    for (const char c : prefix)
        checksum = polymod_step(checksum, static_cast<std::uint8_t>(c >> 5));
    checksum = polymod_step(checksum, 0);
    for (const char c : prefix)
        checksum = polymod_step(checksum, static_cast<std::uint8_t>(c & 31));
    for (const std::uint8_t digit : digits) checksum = polymod_step(checksum, digit);
    return checksum;
}

bool is_lower(char c) noexcept {
    return c >= 'a' && c <= 'z';
}
bool is_upper(char c) noexcept {
    return c >= 'A' && c <= 'Z';
}
bool is_printable(char c) noexcept {
    return c >= 33 && c <= 126;
}

}  // namespace

std::string_view to_string(Bech32Error error) noexcept {
    switch (error) {
        case Bech32Error::bad_character:
            return "a character does not belong there";
        case Bech32Error::mixed_case:
            return "upper and lower case are mixed";
        case Bech32Error::no_separator:
            return "there is no prefix ending in '1'";
        case Bech32Error::bad_length:
            return "the text is too long or too short";
        case Bech32Error::bad_checksum:
            return "the checksum is wrong: look for a typing mistake";
        case Bech32Error::bad_padding:
            return "the last digit holds bits that belong to no byte";
    }
    return "unknown bech32m error";
}

std::string bech32m_encode(std::string_view prefix, ByteSpan digits) {
    CHECK(!prefix.empty() && prefix.size() + 1 + digits.size() + kChecksumLength <= kMaxLength);
    CHECK(std::none_of(prefix.begin(), prefix.end(),
                       [](char c) { return is_upper(c) || !is_printable(c); }));
    CHECK(std::all_of(digits.begin(), digits.end(), [](std::uint8_t d) { return d < 32; }));

    Bytes padded(digits.begin(), digits.end());
    padded.resize(digits.size() + kChecksumLength);
    const std::uint32_t checksum = polymod(prefix, padded) ^ kChecksumConstant;

    std::string text(prefix);
    text += '1';
    for (const std::uint8_t digit : digits) text += kDigits[digit];
    for (std::size_t i = 0; i < kChecksumLength; ++i) {
        text += kDigits[checksum >> (5 * (kChecksumLength - 1 - i)) & 31];
    }
    return text;
}

Result<Bech32Text, Bech32Error> bech32m_decode(std::string_view text) {
    if (text.size() > kMaxLength) return fail(Bech32Error::bad_length);
    if (!std::all_of(text.begin(), text.end(), is_printable)) {
        return fail(Bech32Error::bad_character);
    }
    if (std::any_of(text.begin(), text.end(), is_upper) &&
        std::any_of(text.begin(), text.end(), is_lower)) {
        return fail(Bech32Error::mixed_case);
    }
    const std::size_t separator = text.rfind('1');
    if (separator == std::string_view::npos || separator == 0) {
        return fail(Bech32Error::no_separator);
    }
    if (text.size() - separator - 1 < kChecksumLength) return fail(Bech32Error::bad_length);

    std::string lower(text);
    for (char& c : lower) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    Bech32Text result{.prefix = lower.substr(0, separator), .digits = {}};
    for (std::size_t i = separator + 1; i < lower.size(); ++i) {
        const std::size_t digit = kDigits.find(lower[i]);
        if (digit == std::string_view::npos) return fail(Bech32Error::bad_character);
        result.digits.push_back(static_cast<std::uint8_t>(digit));
    }
    if (polymod(result.prefix, result.digits) != kChecksumConstant) {
        return fail(Bech32Error::bad_checksum);
    }
    result.digits.resize(result.digits.size() - kChecksumLength);
    return result;
}

Bytes to_base32(ByteSpan bytes) {
    Bytes digits;
    digits.reserve((8 * bytes.size() + 4) / 5);
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const std::uint8_t byte : bytes) {
        pending = (pending << 8 | byte) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5) {
            digits.push_back(static_cast<std::uint8_t>(pending >> (bits - 5) & 31));
        }
    }
    if (bits > 0) digits.push_back(static_cast<std::uint8_t>(pending << (5 - bits) & 31));
    return digits;
}

Result<Bytes, Bech32Error> from_base32(ByteSpan digits) {
    Bytes bytes;
    bytes.reserve(5 * digits.size() / 8);
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const std::uint8_t digit : digits) {
        if (digit >= 32) return fail(Bech32Error::bad_character);
        pending = (pending << 5 | digit) & 0xfff;
        bits += 5;
        if (bits < 8) continue;
        bits -= 8;
        bytes.push_back(static_cast<std::uint8_t>(pending >> bits));
    }
    if (bits >= 5 || (pending & ((1U << bits) - 1)) != 0) return fail(Bech32Error::bad_padding);
    return bytes;
}

}  // namespace gradient::chain
