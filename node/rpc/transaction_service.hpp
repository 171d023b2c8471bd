#pragma once

#include "chain/base/bytes.hpp"
#include "chain/consensus/params.hpp"
#include "chain/crypto/address.hpp"
#include "chain/state/state_proof.hpp"
#include "chain/state/state_view.hpp"
#include "chain/storage/block_stub.hpp"
#include "chain/types/block.hpp"
#include "chain/types/header.hpp"
#include "chain/types/transaction.hpp"
#include "model/task.hpp"
#include "node/concurrency/event.hpp"
#include "node/concurrency/task.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradient::node {

/// What became of a transaction that was handed in.
struct SubmitOutcome {
    chain::Hash256 id;
    std::string refusal;   ///< stable name of the rule that refused it; empty: it is in the pool
    std::string sentence;  ///< the refusal in words
};

/// A transaction that waits in the pool.
struct PooledTransaction {
    std::shared_ptr<const chain::SignedTransaction> transaction;
    chain::Hash256 id;
    /// From 1, in the order in which a block would take them; nothing while a nonce before it is
    /// missing.
    std::optional<std::uint64_t> position;
    std::string skipped;  ///< stable name of the rule that keeps it out of the next block, if any
};

/// Why a transaction is no longer in the pool, though no block includes it.
struct GoneTransaction {
    std::string reason;    ///< stable name
    std::string sentence;  ///< in words
};

/// The pool, as far as the RPC needs it. A missing function stands for an empty pool that takes
/// nothing. `submit` may be called from any executor, the others on the ledger's strand only.
struct PoolAccess {
    std::function<Task<SubmitOutcome>(std::shared_ptr<const chain::SignedTransaction>)> submit;
    /// In order of their nonces.
    std::function<std::vector<PooledTransaction>(const chain::Address&)> of_sender;
    std::function<std::optional<PooledTransaction>(const chain::Hash256&)> find;
    std::function<std::optional<GoneTransaction>(const chain::Hash256&)> gone;
};

/// What the state after the tip's parent, which the tip's header commits to, has under a key.
struct ProvenEntry {
    chain::Header header;     ///< of the tip
    chain::StateValue value;  ///< null: there is no such entry
    chain::StateProof proof;  ///< against header.tmpl.state_root
};

/// Chain and pool as the methods about accounts, transactions, tasks and proofs see them. A store
/// that fails is told as a Failure.
class TransactionService {
  public:
    using Query = std::function<boost::json::value()>;

    TransactionService() = default;
    TransactionService(const TransactionService&) = delete;
    TransactionService& operator=(const TransactionService&) = delete;
    virtual ~TransactionService() = default;

    // ---- from any executor
    /// Runs a query on the ledger's strand.
    virtual Task<boost::json::value> on_strand(Query query) = 0;
    /// Waits until the tip has that height, or the deadline.
    virtual Task<bool> wait_for_height(std::uint64_t height, Event::Deadline deadline) = 0;
    virtual Task<SubmitOutcome> submit(
        std::shared_ptr<const chain::SignedTransaction> transaction) = 0;

    // ---- on the strand only
    [[nodiscard]] virtual const chain::ConsensusParams& params() const = 0;
    [[nodiscard]] virtual std::uint32_t network_id() const = 0;
    [[nodiscard]] virtual chain::Hash256 genesis() const = 0;
    /// Of the tip.
    [[nodiscard]] virtual std::uint64_t height() const = 0;
    /// After the tip; good until the strand does something else.
    [[nodiscard]] virtual const chain::StateView& state() const = 0;
    /// Header and body of the active chain's block at a height; the genesis block has no body.
    [[nodiscard]] virtual std::optional<chain::Header> header_at(std::uint64_t height) const = 0;
    [[nodiscard]] virtual std::optional<chain::Block> block_at(std::uint64_t height) const = 0;
    /// Height of the active chain's block that includes a transaction, and what a block includes,
    /// whole or pruned.
    [[nodiscard]] virtual std::optional<std::uint64_t> height_of(
        const chain::Hash256& transaction) const = 0;
    [[nodiscard]] virtual std::optional<chain::BlockStub> stub_at(std::uint64_t height) const = 0;
    /// Nothing while there is only the genesis block, which has no parent.
    [[nodiscard]] virtual std::optional<ProvenEntry> prove(const chain::StateKey& key) const = 0;
    /// Score of the model after the tip, if it is known.
    [[nodiscard]] virtual std::optional<model::Evaluation> held_out(std::uint32_t task) const = 0;
    [[nodiscard]] virtual std::vector<PooledTransaction> pooled_of(
        const chain::Address& sender) const = 0;
    [[nodiscard]] virtual std::optional<PooledTransaction> pooled(
        const chain::Hash256& id) const = 0;
    [[nodiscard]] virtual std::optional<GoneTransaction> gone(const chain::Hash256& id) const = 0;
};

}  // namespace gradient::node
