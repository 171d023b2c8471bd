#pragma once

// Fraud commitments and proofs (chain/SPEC.md section 22): how a miner whose included segment holds
// a unit that nobody trained, or who has signed two segments of one lane, loses its immature pay.
//
// A proof is announced by a hash and shown 2 to 10 blocks later, so that whoever sees it on its way
// has nothing to gain from copying it: the earliest of the commitments shown gets the reward.

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/crypto/address.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_view.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "chain/types/fraud.hpp"

#include <cstdint>

namespace gradient::chain {

/// Blocks from a commitment to the first one that may hold its proof. Whoever learns of the fraud
/// from the proof itself can commit in the proof's block at the earliest, two blocks too late.
inline constexpr std::uint64_t kRevealDelay = 2;

/// Blocks from a commitment to the last one that may hold its proof.
inline constexpr std::uint64_t kRevealWindow = 10;

/// What a commitment says: H("gradient/fraud-commitment", subject, sender, salt). The subject is
/// the segment's id for a false unit and the template's hash for a double segment; the salt is 32
/// random bytes, without which anybody could try out the subjects there are.
[[nodiscard]] Hash256 fraud_commitment(const Hash256& subject, const Address& sender,
                                       const Hash256& salt);

/// Where a commitment of the block at `height` stands in the state until it is revealed or burnt.
[[nodiscard]] StateKey fraud_commitment_entry(std::uint64_t height, const Hash256& commitment,
                                              const Address& sender);

/// What the proof is about, derived by hashing alone: it may still be false. `tasks` must hold the
/// task of a false unit if there is one. Fails with unknown_task without it, and with bad_proof if
/// the state is not coded as one of the task's models.
[[nodiscard]] Result<Hash256, TransactionError> subject_of(const FraudProof& proof,
                                                           const TaskSet& tasks);

/// The rules that need no state. A commitment has none. A proof's subject is derived when it is
/// admitted: that takes the task's shape, which is the state's to tell.
[[nodiscard]] Result<void, TransactionError> check_fraud(const CommitFraud& action,
                                                         const TransactionContext& context);
[[nodiscard]] Result<void, TransactionError> check_fraud(const RevealFraud& action,
                                                         const TransactionContext& context);

/// The rules against a state; a proof's replay comes last. Changes nothing. `sender` is the address
/// of the transaction's sender. Precondition: check_fraud; the context has tasks and trainers.
[[nodiscard]] Result<void, TransactionFailure> admit_fraud(const StateView& view,
                                                           const Address& sender,
                                                           const CommitFraud& action,
                                                           const TransactionContext& context);
[[nodiscard]] Result<void, TransactionFailure> admit_fraud(const StateView& view,
                                                           const Address& sender,
                                                           const RevealFraud& action,
                                                           const TransactionContext& context);

/// Enters a commitment. The deposit has left the sender's account already: it is part of what a
/// transaction costs. Precondition: admitted against just this state.
[[nodiscard]] Result<void, StoreError> apply_fraud(State& state, const Address& sender,
                                                   const CommitFraud& action,
                                                   const TransactionContext& context);

/// Returns the deposit and opens the subject's case or competes for its reward. Opening takes all
/// immature pay of the accused key: half of it, rounded down, waits for the case to close, the rest
/// is burnt. Rewrites at most maturity_blocks lists of pay. Preconditions: admitted against just
/// this state; what matures at this height has been released.
[[nodiscard]] Result<void, StoreError> apply_fraud(State& state, const Address& sender,
                                                   const RevealFraud& action,
                                                   const TransactionContext& context);

/// At the start of the block at `height`, before its transactions: burns the deposits of
/// commitments that can't be revealed any more and pays the rewards of cases that close.
[[nodiscard]] Result<void, StoreError> close_fraud_agenda(State& state, std::uint64_t height,
                                                          const ConsensusParams& params);

}  // namespace gradient::chain
