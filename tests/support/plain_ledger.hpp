#pragma once

#include "chain/consensus/errors.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace gradient::test {

/// A signed transaction in plain numbers: what a reader of chain/SPEC.md section 21 would note down
/// about it. Accounts are numbered, and so are chunks.
struct Move {
    enum class Kind : std::uint8_t { transfer, publish, create, fund, cancel };
    struct Chunk {
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
    };

    Kind kind = Kind::transfer;
    bool right_network = true;   ///< names the network's id
    bool rightly_signed = true;  ///< by the sender, over just this, for this genesis block
    std::size_t sender = 0;
    std::uint64_t nonce = 0;
    std::uint64_t fee = 0;
    std::size_t to = 0;             ///< transfer
    std::uint64_t amount = 0;       ///< transfer, fund; the escrow of a created task
    std::uint32_t task = 0;         ///< fund, cancel
    std::vector<Chunk> chunks;      ///< publish: one; create: those of the data, in order
    std::uint64_t data_bytes = 0;   ///< create
    std::uint64_t unit_budget = 0;  ///< create
    std::uint64_t pay_per_hit = 0;  ///< create
    bool right_shape = true;        ///< create: shape and hyper-parameters are permitted
    bool right_data = true;         ///< create: the chunks' bytes, put together, can be trained on
};

/// The ledger a second time: maps of plain numbers, and no code of the chain's but the names of its
/// errors.
class PlainLedger {
  public:
    struct Terms {
        std::uint64_t byte_fee = 0;
        std::uint64_t replay_fee = 0;
        std::uint64_t hits_per_block = 0;
        std::uint64_t creations_per_block = 0;
    };
    struct Purse {
        std::uint64_t balance = 0;
        std::uint64_t nonce = 0;
    };
    struct Task {
        std::size_t owner = 0;
        std::uint64_t escrow = 0;
        bool active = true;
        std::uint64_t ended_height = 0;
        bool refunded = false;
    };

    explicit PlainLedger(Terms terms) : terms_(terms) {}

    /// Coins from outside.
    void put_in(std::size_t owner, std::uint64_t amount);

    /// The rule that refuses the move; nothing if it may be made.
    [[nodiscard]] std::optional<chain::TransactionError> judge(const Move& move) const;
    /// Makes a move that judge does not refuse.
    void make(const Move& move);
    /// Ends an active task by no transaction.
    void end(std::uint32_t task);
    /// Refunds what is due, gives the fees to the miner and goes on to a later block.
    void end_block(std::size_t miner, std::uint64_t next_height);

    /// The least fee by the sizes of the grammar.
    [[nodiscard]] std::uint64_t least_fee(const Move& move) const;

    [[nodiscard]] Purse purse(std::size_t owner) const;
    [[nodiscard]] const std::map<std::size_t, Purse>& purses() const { return purses_; }
    [[nodiscard]] const std::map<std::uint32_t, Task>& tasks() const { return tasks_; }
    [[nodiscard]] bool knows_chunk(std::uint64_t number) const { return chunks_.contains(number); }
    [[nodiscard]] std::uint64_t height() const { return height_; }
    [[nodiscard]] std::uint64_t fees() const { return fees_; }
    [[nodiscard]] std::uint64_t coins() const { return coins_; }
    [[nodiscard]] std::size_t active() const { return active_; }

  private:
    [[nodiscard]] std::optional<chain::TransactionError> judge_bytes(const Move& move) const;
    [[nodiscard]] std::optional<chain::TransactionError> judge_task(const Move& move) const;

    Terms terms_;
    std::map<std::size_t, Purse> purses_;
    std::map<std::uint32_t, Task> tasks_;  // all that ever were
    std::set<std::uint32_t> ending_;
    std::set<std::uint64_t> chunks_;
    std::size_t active_ = 0;
    std::uint64_t height_ = 1;
    std::uint64_t fees_ = 0;
    std::uint64_t creations_ = 0;
    std::uint64_t coins_ = 0;
};

}  // namespace gradient::test
