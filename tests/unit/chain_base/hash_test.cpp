#include "chain/base/hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gradient::chain {
namespace {

// FIPS 180-4 and NIST's example vectors.
TEST(Sha256, meets_published_vectors) {
    EXPECT_EQ(sha256({}).to_hex(),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256(as_bytes("abc")).to_hex(),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).to_hex(),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256(as_bytes(std::string(1'000'000, 'a'))).to_hex(),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, any_split_gives_the_same_digest) {
    const std::string text =
        "gradients point uphill, so walk the other way, one small step at a time";
    const Hash256 whole = sha256(as_bytes(text));
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Sha256 state;
        state.update(as_bytes(text.substr(0, cut))).update(as_bytes(text.substr(cut)));
        EXPECT_EQ(state.digest(), whole) << cut;
    }
}

TEST(Sha256, a_digest_leaves_the_state_and_a_copy_goes_its_own_way) {
    Sha256 state;
    state.update(as_bytes("ab"));
    const Sha256 copy = state;
    EXPECT_EQ(state.digest(), sha256(as_bytes("ab")));
    state.update(as_bytes("c"));
    EXPECT_EQ(state.digest(), sha256(as_bytes("abc")));
    EXPECT_EQ(copy.digest(), sha256(as_bytes("ab")));
}

TEST(TaggedHash, is_the_construction_of_bip340) {
    const Hash256 tag = sha256(as_bytes("BIP0340/challenge"));
    Bytes message(tag.bytes.begin(), tag.bytes.end());
    message.insert(message.end(), tag.bytes.begin(), tag.bytes.end());
    message.insert(message.end(), {'a', 'b', 'c'});
    EXPECT_EQ(tagged_hash("BIP0340/challenge", as_bytes("abc")), sha256(message));
}

// SHA256("BIP0340/aux") twice is the prefix that BIP 340 implementations precompute; this is the
// hash of 32 zero bytes under it, the mask of the first signing vector of the BIP (aux_rand = 0).
TEST(TaggedHash, meets_the_mask_of_bip340) {
    EXPECT_EQ(tagged_hash("BIP0340/aux", Hash256()).to_hex(),
              "54f169cfc9e2e5727480441f90ba25c488f461c70b5ea5dcaaf7af69270aa514");
}

TEST(TaggedHash, separates_domains_and_joins_parts) {
    const TaggedHasher hasher("gradient/test");
    EXPECT_EQ(hasher(as_bytes("ab"), as_bytes("c")), hasher(as_bytes("abc")));
    EXPECT_EQ(hasher(Hash256()), hasher(Bytes(32)));
    EXPECT_EQ(hasher(as_bytes("abc")), tagged_hash("gradient/test", as_bytes("abc")));
    EXPECT_NE(hasher(as_bytes("abc")), tagged_hash("gradient/tesT", as_bytes("abc")));
    EXPECT_NE(hasher(as_bytes("abc")), sha256(as_bytes("abc")));
}

}  // namespace
}  // namespace gradient::chain
