#include "chain/crypto/address.hpp"
#include "chain/crypto/bech32m.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace gradient::chain {
namespace {

// All vectors of this part are BIP 350's.
TEST(Bech32m, reads_and_writes_the_valid_texts) {
    for (const char* text :
         {"A1LQFN3A", "a1lqfn3a",
          "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7h"
          "g6",
          "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
          "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllluds"
          "r8",
          "split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "?1v759aa"}) {
        const auto parts = bech32m_decode(text);
        ASSERT_TRUE(parts) << text;
        std::string lower(text);
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        EXPECT_EQ(bech32m_encode(parts->prefix, parts->digits), lower);
        // One wrong character anywhere is noticed.
        for (std::size_t i = 0; i < lower.size(); ++i) {
            std::string altered = lower;
            altered[i] = altered[i] == 'q' ? 'p' : 'q';
            EXPECT_FALSE(bech32m_decode(altered)) << altered;
        }
    }
}

TEST(Bech32m, refuses_the_invalid_texts) {
    const std::pair<std::string, Bech32Error> cases[] = {
        {"\x20"
         "1xj0phk",
         Bech32Error::bad_character},
        {"\x7f"
         "1g6xzxy",
         Bech32Error::bad_character},
        {"\x80"
         "1vctc34",
         Bech32Error::bad_character},
        {"an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pt"
         "s4",
         Bech32Error::bad_length},
        {"qyrz8wqd2c9m", Bech32Error::no_separator},
        {"1qyrz8wqd2c9m", Bech32Error::no_separator},
        {"y1b0jsk6g", Bech32Error::bad_character},
        {"lt1igcx5c0", Bech32Error::bad_character},
        {"in1muywd", Bech32Error::bad_length},
        {"mm1crxm3i", Bech32Error::bad_character},
        {"au1s5cgom", Bech32Error::bad_character},
        {"M1VUXWEZ", Bech32Error::bad_checksum},
        {"16plkw9", Bech32Error::no_separator},
        {"1p2gdwpf", Bech32Error::no_separator},
        {"A1LQfN3A", Bech32Error::mixed_case},
        {"", Bech32Error::no_separator},
    };
    for (const auto& [text, error] : cases) {
        const auto parts = bech32m_decode(text);
        ASSERT_FALSE(parts) << text;
        EXPECT_EQ(parts.error(), error) << text << ": " << to_string(parts.error());
    }
}

// A native segregated witness address of version 1 to 16 as its script, as BIP 350 reads it.
// Version 0 uses the older code, which bech32m refuses.
std::optional<std::string> witness_script(std::string_view text) {
    const auto parts = bech32m_decode(text);
    if (!parts || (parts->prefix != "bc" && parts->prefix != "tb")) return std::nullopt;
    if (parts->digits.empty() || parts->digits[0] == 0 || parts->digits[0] > 16)
        return std::nullopt;
    const auto program = from_base32(ByteSpan(parts->digits).subspan(1));
    if (!program || program->size() < 2 || program->size() > 40) return std::nullopt;
    Bytes script = {static_cast<std::uint8_t>(0x50 + parts->digits[0]),
                    static_cast<std::uint8_t>(program->size())};
    script.insert(script.end(), program->begin(), program->end());
    return to_hex(script);
}

TEST(Bech32m, reads_the_valid_witness_addresses) {
    const std::pair<const char*, const char*> cases[] = {
        {"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
         "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"},
        {"BC1SW50QGDZ25J", "6002751e"},
        {"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323"},
        {"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
         "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"},
        {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
         "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
    };
    for (const auto& [text, script] : cases) EXPECT_EQ(witness_script(text), script) << text;
}

TEST(Bech32m, refuses_the_invalid_witness_addresses) {
    for (const char* text : {
             "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",                      // valid, but bech32
             "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",  // valid, but bech32
             "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",  // valid, but bech32
             "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
             "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
             "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
             "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
             "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
             "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
             "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
             "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
             "bc1pw5dgrnzv",
             "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
             "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
             "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
             "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
             "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
             "bc1gmk9yu",
         }) {
        EXPECT_FALSE(witness_script(text)) << text;
    }
}

TEST(Base32, round_trips_every_length) {
    for (std::size_t size = 0; size < 45; ++size) {
        Bytes bytes(size);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(37 * i + size);
        EXPECT_EQ(from_base32(to_base32(bytes)), bytes) << size;
    }
}

TEST(Base32, refuses_padding_that_it_would_not_write) {
    EXPECT_EQ(from_base32(Bytes{31, 31}).error(),
              Bech32Error::bad_padding);  // bits that are not zero
    EXPECT_EQ(from_base32(Bytes{0, 0, 0}).error(),
              Bech32Error::bad_padding);  // a whole spare digit
    EXPECT_EQ(from_base32(Bytes{0}).error(), Bech32Error::bad_padding);
    EXPECT_EQ(from_base32(Bytes{32, 0}).error(), Bech32Error::bad_character);
}

PublicKey some_key() {
    PublicKey key;
    key.bytes[0] = 9;
    return key;
}

TEST(Address, round_trips_as_text_and_bytes) {
    const Address address = address_of(some_key());
    const std::string text = to_text(address, kDefaultAddressPrefix);
    EXPECT_EQ(text.size(), 64U);
    EXPECT_EQ(text.substr(0, 6), "grad1q");
    EXPECT_EQ(parse_address(text, kDefaultAddressPrefix), address);
    EXPECT_EQ(decode_exact<Address>(encode(address)), address);
    EXPECT_NE(address_of(PublicKey()), address);
}

TEST(Address, is_the_tagged_hash_of_the_key) {
    EXPECT_EQ(address_of(some_key()).hash, tagged_hash("gradient/address", some_key().bytes));
}

TEST(Address, refuses_damage_other_networks_versions_and_lengths) {
    const Address address = address_of(some_key());
    const std::string text = to_text(address, kDefaultAddressPrefix);
    EXPECT_EQ(parse_address(text, "gradtest").error(), AddressError::wrong_network);
    EXPECT_EQ(parse_address(to_text(address, "gradtest"), "grad").error(),
              AddressError::wrong_network);
    std::string damaged = text;
    damaged[20] = damaged[20] == 'q' ? 'p' : 'q';
    EXPECT_EQ(parse_address(damaged, "grad").error(), AddressError::not_bech32m);
    EXPECT_EQ(parse_address("", "grad").error(), AddressError::not_bech32m);

    Bytes digits = to_base32(address.hash.bytes);
    digits.insert(digits.begin(), 1);
    EXPECT_EQ(parse_address(bech32m_encode("grad", digits), "grad").error(),
              AddressError::unknown_version);
    EXPECT_EQ(parse_address(bech32m_encode("grad", {}), "grad").error(), AddressError::bad_length);
    digits = to_base32(Bytes(20));
    digits.insert(digits.begin(), 0);
    EXPECT_EQ(parse_address(bech32m_encode("grad", digits), "grad").error(),
              AddressError::bad_length);
    digits = to_base32(address.hash.bytes);
    digits.insert(digits.begin(), 0);
    digits.back() |= 1;
    EXPECT_EQ(parse_address(bech32m_encode("grad", digits), "grad").error(),
              AddressError::not_bech32m);
}

TEST(Address, unknown_versions_do_not_decode) {
    Bytes bytes = encode(address_of(some_key()));
    bytes[0] = 1;
    EXPECT_EQ(decode_exact<Address>(bytes).error(), CodecError::bad_value);
}

}  // namespace
}  // namespace gradient::chain
