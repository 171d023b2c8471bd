#pragma once

#include "chain/base/bytes.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace gradient::chain {

/// Incremental SHA-256. A plain value: it owns no memory, and a copy continues from the same
/// midstate.
class Sha256 {
  public:
    Sha256() noexcept;

    /// Adds bytes to the message.
    Sha256& update(ByteSpan bytes) noexcept;

    /// The digest of the message so far. Does not change the state.
    [[nodiscard]] Hash256 digest() const noexcept;

    /// Sink of the codec: the same as update.
    void append(ByteSpan bytes) noexcept { update(bytes); }

  private:
    // OpenSSL's SHA256_CTX; hash.cpp asserts its size.
    alignas(8) std::array<std::byte, 112> state_{};
};

/// SHA-256 of one span.
[[nodiscard]] Hash256 sha256(ByteSpan bytes) noexcept;

/// BIP340's tagged hash, SHA256(SHA256(tag) || SHA256(tag) || data), with the first block hashed
/// once and for all. One static object per domain: `static const TaggedHasher
/// kUnit("gradient/unit");`
class TaggedHasher {
  public:
    explicit TaggedHasher(std::string_view tag) noexcept;

    /// A hash state that has absorbed the tag and nothing else.
    [[nodiscard]] const Sha256& start() const noexcept { return midstate_; }

    /// Digest of the concatenated parts; the caller sees to it that their lengths can't be
    /// confused.
    template <class... Parts>
    [[nodiscard]] Hash256 operator()(const Parts&... parts) const noexcept {
        Sha256 state = midstate_;
        (state.update(view(parts)), ...);
        return state.digest();
    }

  private:
    static ByteSpan view(ByteSpan bytes) noexcept { return bytes; }
    static ByteSpan view(const Hash256& hash) noexcept { return hash.bytes; }

    Sha256 midstate_;
};

/// BIP340's tagged hash of the concatenated parts (spans or hashes). Hot paths keep a TaggedHasher
/// instead.
template <class... Parts>
[[nodiscard]] Hash256 tagged_hash(std::string_view tag, const Parts&... parts) noexcept {
    return TaggedHasher(tag)(parts...);
}

}  // namespace gradient::chain
