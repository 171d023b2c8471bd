#pragma once

// Signed transactions in three stages, each of which makes the only type that the next one takes
// (chain/SPEC.md section 21):
//
//   check_transaction   CheckedTransaction   form and signature; no state
//   admit_transaction   AdmittedTransaction  against a state; changes nothing
//   apply_transaction                        the change itself, on the same state

#include "chain/base/amount.hpp"
#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/crypto/address.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_view.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/types/transaction.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace gradient::chain {

/// Why a transaction comes to nothing: a rule, or a state that can't be read.
using TransactionFailure = std::variant<TransactionError, StoreError>;

/// What the rules need to know beside state and transaction.
struct TransactionContext {
    const ConsensusParams& params;
    Hash256 genesis;  ///< id of the genesis block
    std::uint32_t network_id = 0;
    std::uint64_t height = 0;        ///< of the block that includes it
    Hash256 parent;                  ///< id of the block below: draws a created task's initial seed
    const TaskSet* tasks = nullptr;  ///< runtimes of the tasks that required_task() names
    Trainers* trainers = nullptr;    ///< for the replay of a fraud proof
};

/// Sums over one block's transactions, in order.
struct BlockTally {
    Amount fees;                  ///< collected for the block's miner
    std::uint32_t creations = 0;  ///< tasks created
};

/// A transaction that is right as far as its bytes alone tell. Cheap to copy.
class CheckedTransaction {
  public:
    [[nodiscard]] const SignedTransaction& transaction() const noexcept { return *transaction_; }
    /// The same, for whoever keeps it.
    [[nodiscard]] const std::shared_ptr<const SignedTransaction>& shared() const noexcept {
        return transaction_;
    }
    [[nodiscard]] const Hash256& id() const noexcept { return id_; }
    [[nodiscard]] const Address& sender() const noexcept { return sender_; }
    /// Encoded as a Transaction.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }
    /// What leaves the sender's account: amounts, deposits and fee.
    [[nodiscard]] Amount cost() const noexcept { return cost_; }
    /// The least fee that the rules ask for it.
    [[nodiscard]] Amount least_fee() const noexcept { return least_fee_; }

  private:
    CheckedTransaction() = default;
    friend Result<CheckedTransaction, TransactionError> check_transaction(
        std::shared_ptr<const SignedTransaction>, const TransactionContext&);
    std::shared_ptr<const SignedTransaction> transaction_;
    Hash256 id_;
    Address sender_;
    std::size_t size_bytes_ = 0;
    Amount cost_;
    Amount least_fee_;
};

/// A transaction that may be applied to the state it was admitted against.
class AdmittedTransaction {
  public:
    [[nodiscard]] const CheckedTransaction& checked() const noexcept { return checked_; }

  private:
    explicit AdmittedTransaction(CheckedTransaction checked) : checked_(std::move(checked)) {}
    friend Result<AdmittedTransaction, TransactionFailure> admit_transaction(
        const StateView&, const CheckedTransaction&, const TransactionContext&, const BlockTally&);
    CheckedTransaction checked_;
};

/// The task whose runtime judging the transaction takes (a fraud proof's), if any.
[[nodiscard]] std::optional<std::uint32_t> required_task(const SignedTransaction& transaction);

/// The least fee: byte_fee for each byte, and replay_fee for each replay (a false unit's proof:
/// one; a created task: one for each of its chunks, which are checked for substance).
[[nodiscard]] std::optional<Amount> least_fee(const SignedTransaction& transaction,
                                              const ConsensusParams& params);

/// Every rule that needs no state; the signature last.
[[nodiscard]] Result<CheckedTransaction, TransactionError> check_transaction(
    std::shared_ptr<const SignedTransaction> transaction, const TransactionContext& context);

/// Every rule against a state: that after the transactions before it in its block. A failure leaves
/// no trace.
[[nodiscard]] Result<AdmittedTransaction, TransactionFailure> admit_transaction(
    const StateView& view, const CheckedTransaction& transaction, const TransactionContext& context,
    const BlockTally& tally);

/// Changes the state. Precondition: admitted against just this state.
[[nodiscard]] Result<void, StoreError> apply_transaction(State& state,
                                                         const AdmittedTransaction& transaction,
                                                         const TransactionContext& context,
                                                         BlockTally& tally);

}  // namespace gradient::chain
