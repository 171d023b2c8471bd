#pragma once

#include "chain/consensus/params.hpp"
#include "chain/crypto/address.hpp"
#include "chain/crypto/key.hpp"
#include "chain/state/state.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "chain/types/transaction.hpp"
#include "tests/support/memory_state.hpp"
#include "tests/support/plain_ledger.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace gradient::test {

/// Accounts that trade, publish, create, fund, cancel and cheat at random. Every operation goes
/// through the ledger and through a PlainLedger; after each, both must say the same, and no coin
/// may have come or gone.
class LedgerGame {
  public:
    explicit LedgerGame(std::uint64_t seed);

    /// One operation: a transaction, honest or not, or the end of a block. What is wrong, if
    /// anything is.
    [[nodiscard]] std::optional<std::string> step();

    /// How often each outcome came: "applied transfer", "refused nonce_gap" in words, "block".
    [[nodiscard]] const std::map<std::string, std::uint64_t>& outcomes() const { return outcomes_; }

  private:
    struct Sent {
        std::shared_ptr<const chain::SignedTransaction> transaction;
        Move move;
    };

    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    bool once_in(std::uint64_t count) { return below(count) == 0; }
    std::uint64_t some_amount(std::uint64_t most);
    std::uint32_t some_task();
    void start_block();
    chain::TransactionContext context() const;

    Move honest_move();
    void fill_create(Move& move);
    void spoil(Move& move);
    Sent send(Move move);
    chain::SignedTransaction written(const Move& move) const;
    chain::Bytes chunk_bytes(const Move::Chunk& chunk) const;

    std::optional<std::string> try_transaction(const Sent& sent);
    std::optional<std::string> end_block();
    std::optional<std::string> compare_account(std::size_t owner) const;
    std::optional<std::string> compare_task(std::uint32_t task) const;
    std::optional<std::string> compare_coins() const;
    std::optional<std::string> compare_diff(const chain::StateDiff& diff) const;

    std::mt19937_64 random_;
    chain::ConsensusParams params_;
    chain::Hash256 genesis_;
    std::vector<chain::SecretKey> keys_;
    std::vector<chain::Address> addresses_;
    std::map<chain::StateKey, std::size_t> owner_of_key_;
    std::map<std::uint64_t, chain::Bytes> shelf_;  // chunks that tasks may be made of
    std::uint64_t next_chunk_ = 1000;

    PlainLedger plain_;
    std::vector<std::uint32_t> open_tasks_;  // not yet refunded
    std::vector<Sent> history_;
    chain::MemoryState base_;
    std::unique_ptr<chain::State> state_;
    chain::BlockTally tally_;
    std::map<std::string, std::uint64_t> outcomes_;
};

}  // namespace gradient::test
