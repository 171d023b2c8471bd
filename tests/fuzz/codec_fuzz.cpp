// The codec on arbitrary bytes. Property: whatever decodes encodes to the same bytes, so one value
// has one encoding.

#include "chain/base/amount.hpp"
#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/merkle.hpp"
#include "chain/base/mmr.hpp"
#include "chain/base/u256.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace gradient::chain {
namespace {

enum class Colour : std::uint8_t { red = 1, blue = 2 };
constexpr bool is_known_value(Colour colour) {
    return colour == Colour::red || colour == Colour::blue;
}

// One field of every kind that the grammar knows.
struct Everything {
    std::int32_t number = 0;
    bool flag = false;
    Colour colour = Colour::red;
    std::array<std::uint16_t, 3> fixed{};
    std::uint32_t count = 0;
    Bytes blob;
    std::string text;
    std::vector<MerkleProof> proofs;
    std::optional<Amount> amount;
    std::variant<std::uint8_t, U256, Hash256> either;

    static auto fields(auto& self) {
        return field_list(self.number, self.flag, self.colour, self.fixed, compact(self.count),
                          bounded<64>(self.blob), bounded<16>(self.text), bounded<8>(self.proofs),
                          self.amount, self.either);
    }
};

template <class T>
void round_trip(ByteSpan bytes) {
    const auto value = decode_exact<T>(bytes);
    if (!value) return;
    const Bytes again = encode(*value);
    CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    CHECK(encoded_size(*value) == again.size());
}

void fuzz_one(ByteSpan bytes) {
    round_trip<Everything>(bytes);
    round_trip<MerkleProof>(bytes);
    round_trip<MmrPeaks>(bytes);
    round_trip<MmrPrefixProof>(bytes);
    if (const auto proof = decode_exact<MmrProof>(bytes)) {
        static_cast<void>(mmr_verify({}, {}, *proof));
    }
    if (const auto proof = decode_exact<MmrPrefixProof>(bytes)) {
        static_cast<void>(mmr_verify_prefix({}, {}, *proof));
    }
    if (const auto peaks = decode_exact<MmrPeaks>(bytes)) static_cast<void>(peaks->root());
}

}  // namespace
}  // namespace gradient::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gradient::chain::fuzz_one({data, size});
    return 0;
}
