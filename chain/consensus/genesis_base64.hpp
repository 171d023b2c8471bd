#pragma once

#include "chain/base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gradient::chain {

/// Base64 of RFC 4648 section 4, padded, without line breaks.
[[nodiscard]] std::string to_base64(ByteSpan bytes);

/// The bytes that the text spells; nothing unless it is exactly what to_base64 gives for them.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

}  // namespace gradient::chain
