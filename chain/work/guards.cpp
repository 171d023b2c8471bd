#include "chain/work/guards.hpp"

#include "chain/base/codec.hpp"
#include "chain/base/hash.hpp"
#include "chain/base/u256.hpp"

#include <algorithm>

namespace gradient::chain {

std::vector<std::uint32_t> draw_guards(const Hash256& last_digest, std::uint32_t units,
                                       std::span<const std::uint32_t> hits, std::uint32_t count) {
    static const TaggedHasher kHasher("gradient/guard");
    std::vector<std::uint32_t> candidates;
    candidates.reserve(units);
    for (std::uint32_t unit = 1; unit <= units; ++unit) {
        if (!std::binary_search(hits.begin(), hits.end(), unit)) candidates.push_back(unit);
    }
    std::vector<std::uint32_t> guards;
    for (std::uint32_t draw = 0; draw < count && !candidates.empty(); ++draw) {
        const U256 number = U256::from_big_endian(hash_encoded(kHasher, last_digest, draw));
        const U256 place = divide(number, U256(candidates.size())).remainder;
        const auto chosen = candidates.begin() + static_cast<std::ptrdiff_t>(place.limbs()[0]);
        guards.push_back(*chosen);
        candidates.erase(chosen);
    }
    std::sort(guards.begin(), guards.end());
    return guards;
}

}  // namespace gradient::chain
