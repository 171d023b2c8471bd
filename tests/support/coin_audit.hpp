#pragma once

#include "chain/crypto/address.hpp"
#include "chain/storage/key_value.hpp"

#include <cstdint>
#include <map>

namespace gradient::test {

/// All coins that a state holds, found by reading every entry of it; in units.
struct CoinAudit {
    std::uint64_t accounts = 0;
    std::uint64_t maturing = 0;
    std::uint64_t escrow = 0;
    std::uint64_t deposits = 0;  ///< of live fraud commitments
    std::uint64_t minted = 0;    ///< what the totals say
    std::uint64_t burnt = 0;
    std::map<chain::Address, std::uint64_t> owners;  ///< balance and maturing pay of each

    [[nodiscard]] std::uint64_t held() const noexcept {
        return accounts + maturing + escrow + deposits;
    }
    [[nodiscard]] bool is_conserved() const noexcept { return held() + burnt == minted; }
};

/// Reads the state after the tip.
[[nodiscard]] CoinAudit audit_coins(const chain::KeyValueStore& store, std::uint64_t deposit);

}  // namespace gradient::test
