#include "chain/base/hash.hpp"

// The one-shot functions of <openssl/sha.h> are marked as deprecated in favour of EVP. They are
// used here because their state is a plain struct: midstates copy without the heap, and 64 bytes
// take 94 ns instead of 162 with EVP. Both run the same SHA-NI code on long messages.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <type_traits>

namespace gradient::chain {

static_assert(sizeof(SHA256_CTX) == sizeof(Sha256) && alignof(SHA256_CTX) <= alignof(Sha256));
static_assert(std::is_trivially_copyable_v<SHA256_CTX> && std::is_trivially_copyable_v<Sha256>);

namespace {

SHA256_CTX* context(std::array<std::byte, 112>& state) noexcept {
    return reinterpret_cast<SHA256_CTX*>(state.data());
}

}  // namespace

Sha256::Sha256() noexcept {
    SHA256_Init(context(state_));
}

Sha256& Sha256::update(ByteSpan bytes) noexcept {
    SHA256_Update(context(state_), bytes.data(), bytes.size());
    return *this;
}

Hash256 Sha256::digest() const noexcept {
    auto state = state_;
    Hash256 hash;
    SHA256_Final(hash.bytes.data(), context(state));
    return hash;
}

Hash256 sha256(ByteSpan bytes) noexcept {
    return Sha256().update(bytes).digest();
}

TaggedHasher::TaggedHasher(std::string_view tag) noexcept {
    const Hash256 name = sha256(as_bytes(tag));
    midstate_.update(name.bytes).update(name.bytes);
}

}  // namespace gradient::chain
