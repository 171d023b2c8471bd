#include "chain/crypto/address.hpp"

#include "chain/base/hash.hpp"
#include "chain/crypto/bech32m.hpp"

#include <algorithm>

namespace gradient::chain {

std::string_view to_string(AddressError error) noexcept {
    switch (error) {
        case AddressError::not_bech32m:
            return "the text is not a bech32m address";
        case AddressError::wrong_network:
            return "the address belongs to another network";
        case AddressError::unknown_version:
            return "the address has an unknown version";
        case AddressError::bad_length:
            return "the address has the wrong length";
    }
    return "unknown address error";
}

Address address_of(const PublicKey& key) noexcept {
    static const TaggedHasher kHasher("gradient/address");
    return {.version = AddressVersion::ed25519, .hash = hash_encoded(kHasher, key)};
}

std::string to_text(const Address& address, std::string_view prefix) {
    Bytes digits = to_base32(address.hash.bytes);
    digits.insert(digits.begin(), static_cast<std::uint8_t>(address.version));
    return bech32m_encode(prefix, digits);
}

Result<Address, AddressError> parse_address(std::string_view text, std::string_view prefix) {
    const auto parts = bech32m_decode(text);
    if (!parts) return fail(AddressError::not_bech32m);
    if (parts->prefix != prefix) return fail(AddressError::wrong_network);
    if (parts->digits.empty()) return fail(AddressError::bad_length);
    const auto version = static_cast<AddressVersion>(parts->digits.front());
    if (!is_known_value(version)) return fail(AddressError::unknown_version);
    const auto payload = from_base32(ByteSpan(parts->digits).subspan(1));
    if (!payload) return fail(AddressError::not_bech32m);
    Address address{.version = version, .hash = {}};
    if (payload->size() != address.hash.bytes.size()) return fail(AddressError::bad_length);
    std::copy(payload->begin(), payload->end(), address.hash.bytes.begin());
    return address;
}

}  // namespace gradient::chain
