#include "tools/cli/signing.hpp"

#include "chain/crypto/address.hpp"
#include "node/setup/failure.hpp"

#include <gtest/gtest.h>

#include <array>

namespace gradient::cli {
namespace {

chain::SecretKey key_of(std::uint8_t byte) {
    std::array<std::uint8_t, chain::SecretKey::kSeedSize> seed{};
    seed.fill(byte);
    return chain::SecretKey::from_seed(seed);
}

SigningNetwork network_of(std::uint8_t byte) {
    SigningNetwork network{7, {}};
    network.genesis.bytes.fill(byte);
    return network;
}

const chain::Transfer kTransfer{chain::address_of(key_of(2).public_key()),
                                chain::Amount::of_units(5)};

TEST(Signing, fills_every_field_and_signs_for_one_network) {
    const auto made =
        sign_transaction(key_of(1), network_of(9), 3, chain::Amount::of_units(11), kTransfer);
    EXPECT_EQ(made.network_id, 7U);
    EXPECT_EQ(made.sender, key_of(1).public_key());
    EXPECT_EQ(made.nonce, 3U);
    EXPECT_EQ(made.fee, chain::Amount::of_units(11));
    EXPECT_EQ(made.action, chain::Action(kTransfer));
    const auto valid_for = [&](const SigningNetwork& network) {
        return chain::verify_signature(
            made.sender, chain::transaction_message(network.genesis, made), made.signature);
    };
    EXPECT_TRUE(valid_for(network_of(9)));
    EXPECT_FALSE(valid_for(network_of(8)));
}

TEST(Signing, the_text_is_a_whole_transaction) {
    const auto made = sign_transaction(key_of(1), network_of(9), 0, chain::Amount(), kTransfer);
    const auto bytes = chain::from_hex(transaction_hex(made));
    ASSERT_TRUE(bytes);
    const auto read = chain::decode_exact<chain::Transaction>(*bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(std::get<chain::SignedTransaction>(read->content), made);
}

TEST(Signing, amounts_have_eight_decimals_at_most) {
    EXPECT_EQ(parse_coins("--amount", "12.00000001").units(), 12 * chain::kCoin + 1);
    for (const auto* wrong : {"", "-1", "1.", "1.123456789", "1e3", "10000000001", " 1", "1,5"}) {
        try {
            static_cast<void>(parse_coins("--amount", wrong));
            ADD_FAILURE() << wrong;
        } catch (const node::Failure& failure) {
            EXPECT_EQ(failure.code(), node::ExitCode::usage);
            EXPECT_NE(std::string(failure.what()).find("--amount"), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace gradient::cli
