#include "chain/pool/sender_queue.hpp"

#include "chain/base/check.hpp"

namespace gradient::chain {

void SenderQueue::find_ready_end() noexcept {
    ready_end = account.nonce;
    for (const auto& [nonce, entry] : entries) {
        if (nonce != ready_end) break;
        ready_end += 1;
    }
}

std::vector<Package> SenderQueue::make_packages() const {
    std::vector<Package> made;
    for (const auto& [nonce, entry] : entries) {
        if (nonce >= ready_end) break;
        made.push_back({nonce, 1, entry.key()});
        while (made.size() > 1 && !is_lower(made.back().key.rate, made[made.size() - 2].key.rate)) {
            const Package last = made.back();
            made.pop_back();
            made.back().count += last.count;
            made.back().key.rate = made.back().key.rate + last.key.rate;
        }
    }
    return made;
}

Account SenderQueue::account_before(std::uint64_t nonce) const noexcept {
    std::uint64_t paid = 0;
    for (const auto& [at, entry] : entries) {
        if (at >= nonce) break;
        paid += entry.checked.cost().units();
    }
    const auto left = Amount::from_units(account.balance.units() - paid);
    CHECK(left);
    return {*left, nonce};
}

}  // namespace gradient::chain
