#pragma once

// An address names an account: a version and the tagged hash of the owner's public key. As text it
// is bech32m (BIP 350): the network's prefix, '1', the version as one digit, the 32 bytes in base
// 32, and six digits of checksum: "grad1q..." has 64 characters. A text of another network does not
// parse.

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"
#include "chain/crypto/key.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>

namespace gradient::chain {

/// Prefix of addresses on the main network; every other network's chain spec names its own.
inline constexpr std::string_view kDefaultAddressPrefix = "grad";

/// Why a text is not an address of this network.
enum class AddressError : std::uint8_t {
    not_bech32m,      // the text is damaged or is something else
    wrong_network,    // the prefix is another network's
    unknown_version,  // a version that this program does not know
    bad_length,       // the payload is not 32 bytes
};

/// One sentence for the error.
[[nodiscard]] std::string_view to_string(AddressError error) noexcept;

/// The kinds of account. Never renumber; below 32, one digit of base 32.
enum class AddressVersion : std::uint8_t {
    ed25519 = 0,  // hash = H("gradient/address", public key)
};

/// Whether the version exists; another does not decode.
[[nodiscard]] constexpr bool is_known_value(AddressVersion version) noexcept {
    return version == AddressVersion::ed25519;
}

/// An account's name.
struct Address {
    static constexpr std::size_t kEncodedSize = 33;

    AddressVersion version = AddressVersion::ed25519;
    Hash256 hash;

    friend auto operator<=>(const Address&, const Address&) = default;

    static auto fields(auto& self) { return std::tie(self.version, self.hash); }
};

/// The address that a key owns.
[[nodiscard]] Address address_of(const PublicKey& key) noexcept;

/// The address as text of the network with this prefix.
[[nodiscard]] std::string to_text(const Address& address, std::string_view prefix);

/// Reads an address of the network with this prefix, in either case.
[[nodiscard]] Result<Address, AddressError> parse_address(std::string_view text,
                                                          std::string_view prefix);

}  // namespace gradient::chain

template <>
struct std::hash<gradient::chain::Address> {
    std::size_t operator()(const gradient::chain::Address& address) const noexcept {
        return gradient::chain::hash_value(address.hash) ^
               static_cast<std::size_t>(address.version);
    }
};
