#include "chain/work/digests.hpp"

#include "chain/base/codec.hpp"
#include "chain/base/hash.hpp"

#include <array>
#include <bit>

namespace gradient::chain {

Hash256 model_digest(std::span<const std::int32_t> parameters) noexcept {
    static const TaggedHasher kHasher("gradient/model");
    if constexpr (std::endian::native == std::endian::little) {
        return kHasher(ByteSpan(reinterpret_cast<const std::uint8_t*>(parameters.data()),
                                parameters.size_bytes()));
    } else {
        Sha256 state = kHasher.start();
        for (const std::int32_t parameter : parameters) write_integer(state, parameter);
        return state.digest();
    }
}

Hash256 gradient_digest(ByteSpan fold) noexcept {
    static const TaggedHasher kHasher("gradient/gradient");
    return kHasher(fold);
}

Hash256 state_digest(const Hash256& model_digest, std::int64_t loss,
                     const Hash256& gradient) noexcept {
    static const TaggedHasher kHasher("gradient/state");
    return hash_encoded(kHasher, model_digest, loss, gradient);
}

Hash256 start_digest(const Hash256& model_digest) noexcept {
    return state_digest(model_digest, 0, Hash256{});
}

Hash256 lane_digest(const Hash256& template_hash, const Hash256& start_digest) noexcept {
    static const TaggedHasher kHasher("gradient/lane");
    return kHasher(template_hash, start_digest);
}

Hash256 unit_seed(const Hash256& template_hash, std::uint32_t unit,
                  const Hash256& previous) noexcept {
    static const TaggedHasher kHasher("gradient/batch");
    return hash_encoded(kHasher, template_hash, unit, previous);
}

Hash256 unit_digest(const Hash256& template_hash, std::uint32_t unit, const Hash256& previous,
                    const Hash256& state) noexcept {
    static const TaggedHasher kHasher("gradient/unit");
    return hash_encoded(kHasher, template_hash, unit, previous, state);
}

U256 ticket_of(const Hash256& unit_digest) noexcept {
    static const TaggedHasher kHasher("gradient/ticket");
    return U256::from_big_endian(kHasher(unit_digest));
}

std::vector<Hash256> lane_digests(const Hash256& template_hash, const Hash256& start_digest,
                                  std::span<const Hash256> states) {
    std::vector<Hash256> digests;
    digests.reserve(states.size() + 1);
    digests.push_back(lane_digest(template_hash, start_digest));
    for (std::uint32_t unit = 1; unit <= states.size(); ++unit) {
        digests.push_back(unit_digest(template_hash, unit, digests.back(), states[unit - 1]));
    }
    return digests;
}

}  // namespace gradient::chain
