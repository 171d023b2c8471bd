#include "tests/support/coin_audit.hpp"

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/state/entries.hpp"
#include "chain/storage/stored_state.hpp"

namespace gradient::test {

namespace {

template <class T>
T decoded(chain::ByteSpan value) {
    auto entry = chain::decode_exact<T>(value);
    CHECK(entry);
    return *std::move(entry);
}

}  // namespace

CoinAudit audit_coins(const chain::KeyValueStore& store, std::uint64_t deposit) {
    CoinAudit audit;
    const chain::StoredState state(store.snapshot());
    const auto add = [&](const chain::StateKey& key, chain::ByteSpan value) {
        switch (static_cast<chain::EntryKind>(key.front())) {
            case chain::EntryKind::account: {
                const auto owner =
                    chain::decode_exact<chain::Address>(chain::ByteSpan(key).subspan(1));
                CHECK(owner);
                const auto balance = decoded<chain::Account>(value).balance.units();
                audit.accounts += balance;
                audit.owners[*owner] += balance;
                break;
            }
            case chain::EntryKind::maturing_pay:
                for (const auto& pay : decoded<chain::MaturingPay>(value).pays) {
                    audit.maturing += pay.amount.units();
                    audit.owners[pay.payee] += pay.amount.units();
                }
                break;
            case chain::EntryKind::task_account:
                audit.escrow += decoded<chain::TaskAccount>(value).escrow.units();
                break;
            case chain::EntryKind::commitment:
                audit.deposits += deposit;
                break;
            case chain::EntryKind::totals: {
                const auto totals = decoded<chain::Totals>(value);
                audit.minted = totals.minted.units();
                audit.burnt = totals.burnt.units();
                break;
            }
            default:
                break;
        }
        return true;
    };
    CHECK(state.scan(add));
    return audit;
}

}  // namespace gradient::test
