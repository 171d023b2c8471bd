#pragma once

#include "chain/base/check.hpp"
#include "chain/pool/mempool.hpp"
#include "chain/state/state.hpp"
#include "chain/transactions/accounts.hpp"
#include "tests/support/memory_state.hpp"
#include "tests/support/signed_transactions.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gradient::test {

/// Accounts in memory, and transactions of numbered keys on them. Fees have no floor.
class PoolWorld {
  public:
    static constexpr std::uint32_t kNetwork = 7;

    PoolWorld() { params.byte_fee = chain::Amount(); }

    [[nodiscard]] chain::TransactionContext context() const {
        return {.params = params,
                .genesis = genesis,
                .network_id = kNetwork,
                .height = height,
                .parent = chain::Hash256(),
                .tasks = nullptr,
                .trainers = nullptr};
    }

    [[nodiscard]] static chain::Amount units(std::uint64_t number) {
        return chain::Amount::from_units(number).value();
    }

    const chain::SecretKey& key(std::uint32_t number) {
        const auto found = keys_.find(number);
        if (found != keys_.end()) return found->second;
        return keys_.emplace(number, numbered_key(number)).first->second;
    }
    chain::Address address(std::uint32_t number) {
        return chain::address_of(key(number).public_key());
    }

    void set_account(std::uint32_t number, std::uint64_t balance, std::uint64_t nonce = 0) {
        change([&](chain::State& to) {
            chain::write_account(to, address(number), {units(balance), nonce});
        });
    }
    [[nodiscard]] chain::Account account(std::uint32_t number) {
        return chain::read_account(state, address(number)).value();
    }

    /// Signs and checks an action of a sender.
    chain::CheckedTransaction make(std::uint32_t sender, std::uint64_t nonce, std::uint64_t fee,
                                   chain::Action action) {
        auto made = std::make_shared<chain::SignedTransaction>();
        made->network_id = kNetwork;
        made->sender = key(sender).public_key();
        made->nonce = nonce;
        made->fee = units(fee);
        made->action = std::move(action);
        sign(*made, key(sender), genesis);
        auto checked = chain::check_transaction(std::move(made), context());
        CHECK(checked);
        return *std::move(checked);
    }
    /// A payment to account `to`; 159 bytes.
    chain::CheckedTransaction pay(std::uint32_t sender, std::uint64_t nonce, std::uint64_t fee,
                                  std::uint64_t amount = 1, std::uint32_t to = 1'000'000) {
        return make(sender, nonce, fee, chain::Transfer{address(to), units(amount)});
    }
    /// A published chunk of so many bytes.
    chain::CheckedTransaction publish(std::uint32_t sender, std::uint64_t nonce, std::uint64_t fee,
                                      std::size_t size_bytes, std::uint8_t fill = 'x') {
        return make(sender, nonce, fee, chain::PublishData{chain::Bytes(size_bytes, fill)});
    }

    /// Applies transactions to the state, each of which must admit. Returns what undoes them.
    chain::StateDiff apply(const std::vector<chain::CheckedTransaction>& transactions) {
        chain::State overlay(state);
        chain::BlockTally tally;
        for (const chain::CheckedTransaction& transaction : transactions) {
            const auto admitted = chain::admit_transaction(overlay, transaction, context(), tally);
            CHECK(admitted);
            CHECK(chain::apply_transaction(overlay, *admitted, context(), tally));
        }
        const chain::StateDiff diff = overlay.diff().value();
        chain::StateDiff inverse = chain::invert(diff, state).value();
        state.apply(diff);
        return inverse;
    }

    template <class Change>
    void change(const Change& make_change) {
        chain::State overlay(state);
        make_change(overlay);
        state.apply(overlay.diff().value());
    }

    chain::ConsensusParams params;
    chain::Hash256 genesis;
    std::uint64_t height = 1;
    chain::MemoryState state;

  private:
    std::map<std::uint32_t, chain::SecretKey> keys_;
};

inline constexpr std::uint64_t kTransferBytes = 159;

/// A block's transactions as the pool wants to hear of them.
inline chain::RedoneBlock redone(std::uint8_t id,
                                 const std::vector<chain::CheckedTransaction>& transactions) {
    chain::RedoneBlock block;
    block.id.bytes[0] = id;
    for (const chain::CheckedTransaction& part : transactions) {
        block.transactions.push_back({part.id(), part.sender(), part.transaction().nonce});
    }
    return block;
}
inline chain::UndoneBlock undone(std::uint8_t id,
                                 const std::vector<chain::CheckedTransaction>& transactions) {
    chain::UndoneBlock block;
    block.id.bytes[0] = id;
    block.transactions = transactions;
    return block;
}

/// All that a pool's queries tell of some transactions and senders, as text.
inline std::string snapshot(const chain::Mempool& pool, PoolWorld& world, std::uint32_t senders,
                            std::uint64_t now_ms) {
    std::string text = std::to_string(pool.size()) + " " + std::to_string(pool.size_bytes()) + " " +
                       std::to_string(pool.minimum_rate(now_ms));
    for (std::uint32_t sender = 0; sender < senders; ++sender) {
        text += " | " + std::to_string(pool.next_nonce(world.address(sender), world.state).value());
        for (const auto& waiting : pool.of_sender(world.address(sender))) {
            const auto status = std::get<chain::Waiting>(pool.status(waiting.id()));
            text += " " + waiting.id().to_hex().substr(0, 8) + "@" +
                    std::to_string(status.position.value_or(0));
        }
    }
    return text;
}

}  // namespace gradient::test
