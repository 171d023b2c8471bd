#include "tools/wallet/sealed_key.hpp"

#include "chain/crypto/address.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace gradient::wallet {
namespace {

constexpr std::string_view kPassphrase = "correct horse battery staple";
constexpr ScryptCost kCheap{.n = ScryptCost::kMinN};

chain::SecretKey test_key() {
    std::array<std::uint8_t, chain::SecretKey::kSeedSize> seed{};
    std::ranges::generate(seed, [i = std::uint8_t{0}]() mutable { return i++; });
    return chain::SecretKey::from_seed(seed);
}

/// Sealed once: the key derivation is slow on purpose.
const SealedKey& test_seal() {
    static const SealedKey kSealed = *seal(test_key(), kPassphrase, "grad", kCheap);
    return kSealed;
}

SealError open_error(const SealedKey& sealed, std::string_view passphrase = kPassphrase) {
    const auto key = open(sealed, passphrase);
    EXPECT_FALSE(key);
    return key ? SealError::no_randomness : key.error();
}

TEST(SealedKey, the_passphrase_opens_it) {
    const auto key = open(test_seal(), kPassphrase);
    ASSERT_TRUE(key);
    EXPECT_TRUE(std::ranges::equal(key->seed(), test_key().seed()));
    EXPECT_EQ(key->public_key(), test_key().public_key());
}

TEST(SealedKey, another_passphrase_does_not_and_is_told_from_damage) {
    EXPECT_EQ(open_error(test_seal(), "correct horse battery stapl"), SealError::wrong_passphrase);
    EXPECT_EQ(open_error(test_seal(), ""), SealError::wrong_passphrase);
    auto damaged = test_seal();
    damaged.ciphertext[5] ^= 1;
    EXPECT_EQ(open_error(damaged), SealError::damaged);
}

TEST(SealedKey, shows_the_address_and_not_the_secret) {
    const std::string text = to_json(test_seal());
    const std::string address = chain::to_text(chain::address_of(test_key().public_key()), "grad");
    EXPECT_EQ(test_seal().address, address);
    EXPECT_NE(text.find(address), std::string::npos);
    EXPECT_EQ(text.find(chain::to_hex(test_key().seed())), std::string::npos);
}

TEST(SealedKey, the_defaults_are_the_documented_ones) {
    EXPECT_EQ(ScryptCost{}, (ScryptCost{.n = 32768, .r = 8, .p = 1}));
    EXPECT_TRUE(ScryptCost{}.is_allowed());
}

TEST(SealedKey, two_seals_of_one_key_share_nothing_random) {
    const auto again = seal(test_key(), kPassphrase, "grad", kCheap);
    ASSERT_TRUE(again);
    EXPECT_NE(again->salt, test_seal().salt);
    EXPECT_NE(again->nonce, test_seal().nonce);
    EXPECT_NE(again->ciphertext, test_seal().ciphertext);
}

TEST(SealedKey, its_text_is_read_back) {
    EXPECT_EQ(parse_sealed_key(to_json(test_seal())), test_seal());
}

/// Changes to every field, one each.
const std::vector<std::pair<std::string, std::function<void(SealedKey&)>>> kTampering = {
    {"address", [](SealedKey& s) { s.address[7] = s.address[7] == 'q' ? 'p' : 'q'; }},
    {"r", [](SealedKey& s) { s.cost.r = 4; }},
    {"n", [](SealedKey& s) { s.cost.n *= 2; }},
    {"p", [](SealedKey& s) { s.cost.p = 2; }},
    {"salt", [](SealedKey& s) { s.salt[31] ^= 1; }},
    {"nonce", [](SealedKey& s) { s.nonce[0] ^= 1; }},
    {"ciphertext", [](SealedKey& s) { s.ciphertext[31] ^= 128; }},
    {"tag", [](SealedKey& s) { s.tag[15] ^= 1; }},
};

TEST(SealedKey, damage_to_any_field_is_seen_without_the_passphrase) {
    for (const auto& [field, tamper] : kTampering) {
        auto sealed = test_seal();
        tamper(sealed);
        EXPECT_EQ(parse_sealed_key(to_json(sealed)).error(), SealError::damaged) << field;
        EXPECT_EQ(open_error(sealed), SealError::damaged) << field;
    }
    auto sealed = test_seal();
    sealed.checksum.bytes[0] ^= 1;
    EXPECT_EQ(parse_sealed_key(to_json(sealed)).error(), SealError::damaged);
}

TEST(SealedKey, who_alters_a_field_and_mends_the_checksum_gains_nothing) {
    for (const auto& [field, tamper] : kTampering) {
        auto sealed = test_seal();
        tamper(sealed);
        sealed.checksum = checksum_of(sealed);
        EXPECT_TRUE(parse_sealed_key(to_json(sealed))) << field;
        EXPECT_EQ(open_error(sealed), SealError::wrong_passphrase) << field;
    }
}

TEST(SealedKey, refuses_weak_and_ruinous_key_derivations) {
    const auto refused = [](ScryptCost cost) {
        EXPECT_EQ(seal(test_key(), kPassphrase, "grad", cost).error(), SealError::unsafe_cost);
        auto sealed = test_seal();
        sealed.cost = cost;
        sealed.checksum = checksum_of(sealed);
        EXPECT_EQ(open_error(sealed), SealError::unsafe_cost);
        EXPECT_EQ(parse_sealed_key(to_json(sealed)).error(), SealError::unsafe_cost);
    };
    refused({.n = ScryptCost::kMinN / 2});
    refused({.n = ScryptCost::kMinN + 1});
    refused({.n = ScryptCost::kMaxN * 2, .r = 1});
    refused({.n = ScryptCost::kMaxN, .r = 8});  // 1 GiB
    refused({.r = 0});
    refused({.r = 17});
    refused({.p = 0});
    refused({.p = 5});
    EXPECT_TRUE((ScryptCost{.n = ScryptCost::kMaxN, .r = 2}.is_allowed()));
}

TEST(SealedKey, refuses_text_with_members_missing_added_or_of_another_type) {
    const auto error = [](const std::function<void(boost::json::object&)>& change) {
        auto value = boost::json::parse(to_json(test_seal())).as_object();
        change(value);
        const auto sealed = parse_sealed_key(boost::json::serialize(value));
        return sealed ? SealError::no_randomness : sealed.error();
    };
    EXPECT_EQ(error([](auto&) {}), SealError::no_randomness);
    for (const char* name : {"format", "version", "address", "kdf", "cipher", "checksum"}) {
        EXPECT_EQ(error([&](auto& file) { file.erase(name); }), SealError::damaged) << name;
        EXPECT_EQ(error([&](auto& file) { file[name] = nullptr; }), SealError::damaged) << name;
        EXPECT_EQ(error([&](auto& file) { file[name] = "x"; }), SealError::damaged) << name;
    }
    for (const char* name : {"name", "n", "r", "p", "salt"}) {
        const auto kdf = [&](auto change) {
            return error([&](auto& file) { change(file["kdf"].as_object()); });
        };
        EXPECT_EQ(kdf([&](auto& object) { object.erase(name); }), SealError::damaged) << name;
        EXPECT_EQ(kdf([&](auto& object) { object[name] = -1; }), SealError::damaged) << name;
        EXPECT_EQ(kdf([&](auto& object) { object[name] = "00"; }), SealError::damaged) << name;
    }
    for (const char* name : {"name", "nonce", "ciphertext", "tag"}) {
        const auto cipher = [&](auto change) {
            return error([&](auto& file) { change(file["cipher"].as_object()); });
        };
        EXPECT_EQ(cipher([&](auto& object) { object.erase(name); }), SealError::damaged) << name;
        EXPECT_EQ(cipher([&](auto& object) { object[name] = "00"; }), SealError::damaged) << name;
    }
    EXPECT_EQ(error([](auto& file) { file["more"] = 1; }), SealError::damaged);
    EXPECT_EQ(error([](auto& file) { file["kdf"].as_object()["more"] = 1; }), SealError::damaged);
    EXPECT_EQ(error([](auto& file) { file["kdf"].as_object()["n"] = 4294967296 + 16384; }),
              SealError::damaged);
    EXPECT_EQ(error([](auto& file) { file["version"] = 2; }), SealError::unknown_version);
    EXPECT_EQ(error([](auto& file) {
                  file["version"] = 2;
                  file["more"] = 1;
                  file.erase("kdf");
              }),
              SealError::unknown_version);
    EXPECT_EQ(error([](auto& file) { file["version"] = 0; }), SealError::unknown_version);
}

TEST(SealedKey, refuses_text_that_is_cut_or_has_a_bit_flipped) {
    const std::string good = to_json(test_seal());
    for (std::size_t size = 0; size + 1 < good.size(); ++size)
        EXPECT_FALSE(parse_sealed_key(good.substr(0, size))) << size;
    for (std::size_t i = 0; i + 1 < good.size(); ++i) {
        std::string text = good;
        text[i] ^= 1;
        const auto sealed = parse_sealed_key(text);
        // A digit in the other case is the same digit; anything else must be noticed.
        EXPECT_TRUE(!sealed || *sealed == test_seal()) << i;
    }
}

}  // namespace
}  // namespace gradient::wallet
