#include "chain/base/hash.hpp"
#include "chain/crypto/key.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

namespace gradient::chain {
namespace {

template <class T>
T from_text(std::string_view hex) {
    T value;
    EXPECT_TRUE(from_hex(hex, value.bytes)) << hex;
    return value;
}

SecretKey key_from(std::string_view hex) {
    const Hash256 seed = Hash256::from_hex(hex).value();
    return SecretKey::from_seed(seed.bytes);
}

struct Vector {
    std::string_view seed, public_key, message, signature;
};

// RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc).
constexpr Vector kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "bbd"
     "454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "030"
     "3dca179c138ac17ad9bef1177331a704"},
};

TEST(Ed25519, meets_the_vectors_of_rfc8032) {
    for (const Vector& vector : kRfc8032) {
        const SecretKey key = key_from(vector.seed);
        const Bytes message = from_hex(vector.message).value();
        const Signature signature = key.sign(message);
        EXPECT_EQ(key.public_key().to_hex(), vector.public_key);
        EXPECT_EQ(to_hex(signature.bytes), vector.signature);
        EXPECT_TRUE(verify_signature(key.public_key(), message, signature));
    }
}

// Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs" (SSR 2020), the cases of their
// repository in order.
struct EdgeCase {
    std::string_view why, message, public_key, signature;
    bool verifies;
};
constexpr EdgeCase kEdgeCases[] = {
    {"A and R of small order, S = 0",
     "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a00000000000000000000000000000"
     "000"
     "00000000000000000000000000000000",
     false},
    {"A of small order", "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89"
     "b03"
     "984d8068dcf1bb7dfc6637b45450ac04",
     false},
    {"R of small order", "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27"
     "ac8"
     "751a7dfe1baff8b953ec9f5833ca260e",
     false},
    {"A and R of mixed order, the equation holds without the cofactor",
     "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad"
     "780"
     "2db02eb2e688b6c52fcd6648a98bd009",
     true},
    {"the equation holds only with the cofactor",
     "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911"
     "a9a"
     "6a58921d6925e434ab10aa7940551a09",
     false},
    {"the equation holds only with the cofactor multiplied in before the reduction",
     "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9"
     "c03"
     "c1ceeeddb658d0030494ace586687405",
     false},
    {"S above the group order", "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490d"
     "c19"
     "b3b3052f7ff0538cb68afb369ba3a514",
     false},
    {"S far above the group order",
     "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d"
     "58c"
     "c3f54b8bd0d272f42b695dd7e89a8c22",
     false},
    {"R of small order in a second encoding, hashed reduced",
     "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f454d370c8d9fc323a41450f8d513e"
     "afe"
     "b5b0697390c1e505a0d4ddc71f566607",
     false},
    {"R of small order in a second encoding, hashed as it is",
     "84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f084d5b99c2a9463d9c8bd50269169"
     "96"
     "984eeec87ddf1d3be329006ace1b37b09",
     false},
};

TEST(Ed25519, judges_the_published_edge_cases_strictly) {
    for (const EdgeCase& edge : kEdgeCases) {
        EXPECT_EQ(
            verify_signature(from_text<PublicKey>(edge.public_key), from_hex(edge.message).value(),
                             from_text<Signature>(edge.signature)),
            edge.verifies)
            << edge.why;
    }
}

TEST(Ed25519, refuses_every_altered_bit) {
    const SecretKey key = key_from(kRfc8032[1].seed);
    const Hash256 message = sha256(as_bytes("message"));
    const Signature good = key.sign(message);
    ASSERT_TRUE(verify_signature(key.public_key(), message, good));
    for (std::size_t bit = 0; bit < 512; ++bit) {
        Signature altered = good;
        altered.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(verify_signature(key.public_key(), message, altered)) << bit;
    }
    for (std::size_t bit = 0; bit < 256; ++bit) {
        PublicKey other = key.public_key();
        other.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(verify_signature(other, message, good)) << bit;
        Hash256 another = message;
        another.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(verify_signature(key.public_key(), another, good)) << bit;
    }
}

// S and S + L satisfy the same equation; only S < L may pass.
TEST(Ed25519, refuses_the_second_form_of_s) {
    const SecretKey key = key_from(kRfc8032[2].seed);
    const Bytes message = from_hex(kRfc8032[2].message).value();
    Signature signature = key.sign(message);
    const Bytes order =
        from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += unsigned{signature.bytes[32 + i]} + order[i];
        signature.bytes[32 + i] = static_cast<std::uint8_t>(carry & 255);
        carry >>= 8;
    }
    EXPECT_FALSE(verify_signature(key.public_key(), message, signature));
    std::copy(order.begin(), order.end(), signature.bytes.begin() + 32);
    EXPECT_FALSE(verify_signature(key.public_key(), message, signature));
}

TEST(StrictPoint, refuses_small_orders_and_second_encodings) {
    for (const char* point : {
             "0000000000000000000000000000000000000000000000000000000000000000",  // order 4
             "0000000000000000000000000000000000000000000000000000000000000080",  // order 4
             "0100000000000000000000000000000000000000000000000000000000000000",  // identity
             "0100000000000000000000000000000000000000000000000000000000000080",  // -0
             "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // order 2
             "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  // -0
             "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  // order 8
             "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",  // order 8
             "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  // order 8
             "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",  // order 8
             "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p = 0
             "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  // p = 0
             "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 1
             "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  // p + 1
             "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 3
             "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 18
         }) {
        EXPECT_FALSE(is_strict_point_encoding(Hash256::from_hex(point)->bytes)) << point;
    }
    for (const Vector& vector : kRfc8032) {
        EXPECT_TRUE(is_strict_point_encoding(key_from(vector.seed).public_key().bytes));
    }
}

TEST(SecretKey, generated_keys_differ_and_sign) {
    const SecretKey first = SecretKey::generate().value();
    const SecretKey second = SecretKey::generate().value();
    EXPECT_NE(first.public_key(), second.public_key());
    EXPECT_TRUE(verify_signature(first.public_key(), Hash256(), first.sign(Hash256())));
    EXPECT_FALSE(verify_signature(second.public_key(), Hash256(), first.sign(Hash256())));
}

TEST(SecretKey, round_trips_through_its_seed) {
    const SecretKey key = SecretKey::generate().value();
    const SecretKey again = SecretKey::from_seed(key.seed());
    EXPECT_EQ(again.public_key(), key.public_key());
    EXPECT_EQ(again.sign(Hash256()), key.sign(Hash256()));
}

TEST(SecretKey, moves_and_wipes_what_it_leaves) {
    static_assert(!std::is_copy_constructible_v<SecretKey> &&
                  !std::is_copy_assignable_v<SecretKey>);
    SecretKey key = key_from(kRfc8032[0].seed);
    const PublicKey name = key.public_key();
    SecretKey moved = std::move(key);
    EXPECT_EQ(moved.public_key(), name);
    const auto left =
        key.seed();  // NOLINT(bugprone-use-after-move): that nothing is left is what we test
    EXPECT_TRUE(std::all_of(left.begin(), left.end(), [](std::uint8_t b) { return b == 0; }));
    SecretKey assigned = SecretKey::generate().value();
    assigned = std::move(moved);
    EXPECT_EQ(assigned.public_key(), name);
    EXPECT_EQ(to_hex(assigned.seed()), kRfc8032[0].seed);
}

TEST(Keys, have_fixed_wire_forms) {
    const SecretKey key = key_from(kRfc8032[0].seed);
    const Signature signature = key.sign(Hash256());
    EXPECT_EQ(to_hex(encode(key.public_key())), kRfc8032[0].public_key);
    EXPECT_EQ(decode_exact<Signature>(encode(signature)), signature);
    EXPECT_EQ(PublicKey::from_hex(kRfc8032[0].public_key), key.public_key());
    EXPECT_FALSE(PublicKey::from_hex("00"));
    EXPECT_EQ(decode_exact<PublicKey>(Bytes(33)).error(), CodecError::trailing_bytes);
    EXPECT_EQ(decode_exact<Signature>(Bytes(63)).error(), CodecError::truncated);
}

}  // namespace
}  // namespace gradient::chain
