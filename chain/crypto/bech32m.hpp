#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gradient::chain {

/// Why a text is not bech32m (BIP 350).
enum class Bech32Error : std::uint8_t {
    bad_character,  // a character outside of printable ASCII, or no digit of base 32 after the
                    // separator
    mixed_case,     // upper and lower case in one text
    no_separator,   // no '1', or nothing before it
    bad_length,     // more than 90 characters, or less than a checksum after the separator
    bad_checksum,   // a mistyped character, or the older bech32
    bad_padding,    // left-over bits that are not zero, or as many as a digit
};

/// One sentence for the error.
[[nodiscard]] std::string_view to_string(Bech32Error error) noexcept;

/// The two parts of a bech32m text.
struct Bech32Text {
    std::string prefix;  ///< human-readable part, lower case
    Bytes digits;        ///< base 32, each below 32, without the checksum

    friend bool operator==(const Bech32Text&, const Bech32Text&) = default;
};

/// Writes prefix, separator, digits and checksum. Preconditions: the prefix is lower-case printable
/// ASCII and not empty, each digit is below 32, and the text has at most 90 characters.
[[nodiscard]] std::string bech32m_encode(std::string_view prefix, ByteSpan digits);

/// Reads a bech32m text in either case.
[[nodiscard]] Result<Bech32Text, Bech32Error> bech32m_decode(std::string_view text);

/// Bytes as digits of base 32, the last one filled with zero bits.
[[nodiscard]] Bytes to_base32(ByteSpan bytes);

/// Digits of base 32 as bytes; refuses padding that to_base32 would not give.
[[nodiscard]] Result<Bytes, Bech32Error> from_base32(ByteSpan digits);

}  // namespace gradient::chain
