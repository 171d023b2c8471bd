#include "chain/base/codec.hpp"

namespace gradient::chain {

namespace {

// One length of compact integer: only values above `least` may be written so.
template <class T>
Result<std::uint64_t, CodecError> read_wide(Reader& reader, std::uint64_t least) noexcept {
    const auto value = read_integer<T>(reader);
    if (!value) return fail(value.error());
    if (*value < least) return fail(CodecError::non_canonical);
    return std::uint64_t{*value};
}

}  // namespace

std::string_view to_string(CodecError error) noexcept {
    switch (error) {
        case CodecError::truncated:
            return "the bytes end before the value does";
        case CodecError::trailing_bytes:
            return "bytes are left over after the value";
        case CodecError::non_canonical:
            return "an integer is not in its shortest form";
        case CodecError::too_large:
            return "a length or an integer exceeds its limit";
        case CodecError::bad_value:
            return "a value is out of its range";
    }
    return "unknown codec error";
}

Result<std::uint64_t, CodecError> read_compact(Reader& reader) noexcept {
    Reader attempt = reader;  // a failure consumes nothing
    const auto first = read_integer<std::uint8_t>(attempt);
    if (!first) return fail(first.error());
    Result<std::uint64_t, CodecError> value = std::uint64_t{*first};
    if (*first == 0xfd) value = read_wide<std::uint16_t>(attempt, 0xfd);
    if (*first == 0xfe) value = read_wide<std::uint32_t>(attempt, 0x10000);
    if (*first == 0xff) value = read_wide<std::uint64_t>(attempt, 0x100000000);
    if (value) reader = attempt;
    return value;
}

}  // namespace gradient::chain
