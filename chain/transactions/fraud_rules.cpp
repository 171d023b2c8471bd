#include "chain/transactions/fraud_rules.hpp"

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/hash.hpp"
#include "chain/state/entries.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/task_model.hpp"
#include "chain/work/unit.hpp"
#include "model/task.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace gradient::chain {

namespace {

// ---------------------------------------------------------------------------------------- proofs

// The replay that a false unit's proof asks for, and the segment that it leads to.
struct DerivedUnit {
    SharedTask task;
    Hash256 template_hash;
    std::vector<std::int32_t> before;  // theta_{j-1}
    Hash256 previous;                  // s_{j-1}
    Hash256 segment;                   // id
};

Result<DerivedUnit, TransactionError> derive(const FalseUnitProof& proof, const TaskSet& tasks) {
    DerivedUnit unit;
    unit.task = tasks.find(proof.tmpl.task);
    if (!unit.task) return fail(TransactionError::unknown_task);
    const auto config = to_model(unit.task->record.shape);
    const std::vector<std::int32_t> zeros(model::parameter_count(config));
    auto before = decode_delta(zeros, proof.before.delta);
    if (!before) return fail(TransactionError::bad_proof);
    unit.before = *std::move(before);

    const Hash256& lane = unit.template_hash = template_hash(proof.tmpl);
    const Hash256 root = model_digest(unit.before);
    const std::uint32_t j = proof.unit;
    if (j == 1) {
        unit.previous = lane_digest(lane, start_digest(root));
    } else {
        const Hash256 state = state_digest(root, proof.before.loss, proof.before.gradient);
        unit.previous = unit_digest(lane, j - 1, proof.previous_digest, state);
    }
    Hash256 last = unit.previous;
    for (std::size_t i = 0; i < proof.digests.size(); ++i) {
        last = unit_digest(lane, j + static_cast<std::uint32_t>(i), last, proof.digests[i]);
    }
    unit.segment = segment_id(lane, last);
    return unit;
}

Result<void, TransactionError> check_proof(const FalseUnitProof& proof,
                                           const ConsensusParams& params) {
    if (proof.unit < 1 || proof.digests.empty()) return fail(TransactionError::bad_proof);
    const std::uint64_t units = std::uint64_t{proof.unit} - 1 + proof.digests.size();
    if (units > params.work.max_units) return fail(TransactionError::bad_proof);
    // A lane's start has neither loss nor gradient, and nothing comes before it.
    if (proof.unit == 1 && (!proof.previous_digest.is_zero() || proof.before.loss != 0 ||
                            !proof.before.gradient.is_zero())) {
        return fail(TransactionError::bad_proof);
    }
    return {};
}

bool is_signed(const Template& tmpl, const SignedEnd& end) {
    const Hash256 message = segment_message(template_hash(tmpl), end.units, end.last_digest);
    return verify_signature(tmpl.miner, message, end.signature);
}

Result<void, TransactionError> check_proof(const DoubleSegmentProof& proof,
                                           const ConsensusParams&) {
    const auto& [a, b] = proof.ends;
    if (a.units == b.units && a.last_digest == b.last_digest) {
        return fail(TransactionError::bad_proof);
    }
    if (!is_signed(proof.tmpl, a) || !is_signed(proof.tmpl, b)) {
        return fail(TransactionError::bad_proof);
    }
    return {};
}

// ------------------------------------------------------------------------------------- commitments

// The key's part of a commitment. It binds the sender, so that nobody can keep a commitment out by
// publishing its 32 bytes first.
Hash256 bound(const Hash256& commitment, const Address& sender) {
    static const TaggedHasher hasher("gradient/fraud-entry");
    return hasher(encode(sender), commitment);
}

StateKey revealed_key(const RevealFraud& action, const Hash256& subject, const Address& sender) {
    return fraud_commitment_entry(action.commit_height,
                                  fraud_commitment(subject, sender, action.salt), sender);
}

Result<void, TransactionError> check_height(const RevealFraud& action, std::uint64_t height) {
    if (action.commit_height > height) return fail(TransactionError::bad_commit_height);
    const std::uint64_t age = height - action.commit_height;
    if (age < kRevealDelay || age > kRevealWindow) {
        return fail(TransactionError::bad_commit_height);
    }
    return {};
}

// ---------------------------------------------------------------------------------------- segments

using Found = std::optional<std::pair<Hash256, IncludedSegment>>;

// The segment of a lane that ends after so many units, if it is included and its pay immature.
Result<Found, StoreError> find_immature(const StateView& view, const Template& tmpl,
                                        const Hash256& segment, std::uint64_t units,
                                        const TransactionContext& context) {
    TRY_ASSIGN(const auto entry, read_entry<IncludedSegment>(view, segment_key(segment)));
    if (!entry || entry->miner != tmpl.miner || entry->units != units) return Found();
    if (entry->template_hash != template_hash(tmpl)) return Found();
    if (entry->height + context.params.maturity_blocks <= context.height) return Found();
    return Found({segment, *entry});
}

// The accused segment of a proof about `subject`.
Result<Found, StoreError> find_accused(const StateView& view, const FalseUnitProof& proof,
                                       const Hash256& subject, const TransactionContext& context) {
    const std::uint64_t units = std::uint64_t{proof.unit} - 1 + proof.digests.size();
    return find_immature(view, proof.tmpl, subject, units, context);
}

// At most one of two ends is included: a lane yields one segment.
Result<Found, StoreError> find_accused(const StateView& view, const DoubleSegmentProof& proof,
                                       const Hash256& subject, const TransactionContext& context) {
    for (const SignedEnd& end : proof.ends) {
        const Hash256 segment = segment_id(subject, end.last_digest);
        TRY_ASSIGN(Found found, find_immature(view, proof.tmpl, segment, end.units, context));
        if (found) return found;
    }
    return Found();
}

constexpr std::uint8_t proven_bit(const FalseUnitProof&) {
    return IncludedSegment::kFalseUnit;
}
constexpr std::uint8_t proven_bit(const DoubleSegmentProof&) {
    return IncludedSegment::kDoubleSegment;
}

Result<void, TransactionError> check_replay(DerivedUnit unit, const FalseUnitProof& proof,
                                            Trainers& trainers) {
    const auto outcome = run_unit(trainers.trainer_of(unit.task), unit.template_hash, proof.unit,
                                  unit.previous, unit.before);
    // No unit leads to a state that the solver core refuses, and none leads on from it.
    if (outcome && outcome->state == proof.digests.front()) {
        return fail(TransactionError::replay_agrees);
    }
    return {};
}

// What all proofs must meet in a state, and whether a replay is still to follow: not if the
// subject's case has been opened already.
template <class Proof>
Result<bool, TransactionFailure> admit_subject(const StateView& view, const Address& sender,
                                               const RevealFraud& action, const Proof& proof,
                                               const Hash256& subject,
                                               const TransactionContext& context) {
    TRY_ASSIGN(const auto live, view.get(revealed_key(action, subject, sender)));
    if (!live) return fail(TransactionError::commitment_missing);
    TRY_ASSIGN(const auto open, view.get(fraud_case_key(subject)));
    if (open) return false;
    TRY_ASSIGN(const Found accused, find_accused(view, proof, subject, context));
    if (!accused || (accused->second.proven & proven_bit(proof)) != 0) {
        return fail(TransactionError::segment_not_immature);
    }
    return true;
}

Result<void, TransactionFailure> admit_proof(const StateView& view, const Address& sender,
                                             const RevealFraud& action, const FalseUnitProof& proof,
                                             const TransactionContext& context) {
    CHECK(context.tasks && context.trainers);
    TRY_ASSIGN(DerivedUnit unit, derive(proof, *context.tasks));
    TRY_ASSIGN(const bool replays,
               admit_subject(view, sender, action, proof, unit.segment, context));
    if (replays) TRY(check_replay(std::move(unit), proof, *context.trainers));
    return {};
}

Result<void, TransactionFailure> admit_proof(const StateView& view, const Address& sender,
                                             const RevealFraud& action,
                                             const DoubleSegmentProof& proof,
                                             const TransactionContext& context) {
    TRY(admit_subject(view, sender, action, proof, template_hash(proof.tmpl), context));
    return {};
}

// ------------------------------------------------------------------------------------- punishment

// The sum of amounts that exist; more than all coins there are means that the state is damaged.
Result<Amount, StoreError> sum_of(Amount a, Amount b, const StateKey& key) {
    const auto sum = checked_add(a, b);
    if (!sum) return fail(bad_entry(key, "its amounts exceed all the coins there are"));
    return *sum;
}

Result<void, StoreError> burn(State& state, Amount amount) {
    TRY_ASSIGN(auto totals, require_entry<Totals>(state, totals_key()));
    TRY_ASSIGN(totals.burnt, sum_of(totals.burnt, amount, totals_key()));
    state.put(totals_key(), totals);
    return {};
}

// Takes an address's pay out of one list. A pay that names a segment stays with nothing in it,
// since the segment's entry goes with it when it matures.
Result<Amount, StoreError> take_pay(State& state, const Address& payee, std::uint64_t height) {
    const StateKey key = maturing_pay_key(height);
    TRY_ASSIGN(auto maturing, read_entry<MaturingPay>(state, key));
    if (!maturing) return Amount();
    Amount taken;
    std::vector<Pay> kept;
    for (const Pay& pay : maturing->pays) {
        if (pay.payee != payee) {
            kept.push_back(pay);
            continue;
        }
        TRY_ASSIGN(taken, sum_of(taken, pay.amount, key));
        if (!pay.segment.is_zero()) kept.push_back({payee, Amount(), pay.segment});
    }
    if (taken.is_zero()) return taken;
    maturing->pays = std::move(kept);
    if (maturing->pays.empty()) {
        state.erase(key);
    } else {
        state.put(key, *maturing);
    }
    return taken;
}

Result<Amount, StoreError> take_immature_pay(State& state, const Address& payee,
                                             const TransactionContext& context) {
    Amount taken;
    for (std::uint32_t i = 1; i <= context.params.maturity_blocks; ++i) {
        const std::uint64_t height = context.height + i;
        TRY_ASSIGN(const Amount amount, take_pay(state, payee, height));
        TRY_ASSIGN(taken, sum_of(taken, amount, maturing_pay_key(height)));
    }
    return taken;
}

Result<FraudAgenda, StoreError> read_agenda(const StateView& view, std::uint64_t height) {
    TRY_ASSIGN(auto agenda, read_entry<FraudAgenda>(view, fraud_agenda_key(height)));
    return std::move(agenda).value_or(FraudAgenda{});
}

// When the commitments of a block have had their time, and the cases that it opened.
constexpr std::uint64_t end_of(std::uint64_t height) noexcept {
    return height + kRevealWindow + 1;
}

template <class Proof>
Result<void, StoreError> open_case(State& state, FraudCase opened, const Proof& proof,
                                   const Hash256& subject, const TransactionContext& context) {
    TRY_ASSIGN(auto accused, find_accused(state, proof, subject, context));
    CHECK(accused);  // admitted
    accused->second.proven |= proven_bit(proof);
    state.put(segment_key(accused->first), accused->second);

    opened.accused = address_of(proof.tmpl.miner);
    opened.closing_height = end_of(context.height);
    TRY_ASSIGN(const Amount taken, take_immature_pay(state, opened.accused, context));
    const auto half = checked_mul_div(taken, 1, 2);
    CHECK(half);
    opened.reward = *half;
    const auto rest = checked_sub(taken, *half);
    CHECK(rest);
    TRY(burn(state, *rest));
    state.put(fraud_case_key(subject), opened);

    TRY_ASSIGN(auto agenda, read_agenda(state, opened.closing_height));
    agenda.cases.push_back(subject);
    state.put(fraud_agenda_key(opened.closing_height), agenda);
    return {};
}

}  // namespace

Hash256 fraud_commitment(const Hash256& subject, const Address& sender, const Hash256& salt) {
    static const TaggedHasher hasher("gradient/fraud-commitment");
    return hasher(subject, encode(sender), salt);
}

StateKey fraud_commitment_entry(std::uint64_t height, const Hash256& commitment,
                                const Address& sender) {
    return commitment_key(height, bound(commitment, sender));
}

Result<Hash256, TransactionError> subject_of(const FraudProof& proof, const TaskSet& tasks) {
    if (const auto* twice = std::get_if<DoubleSegmentProof>(&proof)) {
        return template_hash(twice->tmpl);
    }
    TRY_ASSIGN(const DerivedUnit unit, derive(std::get<FalseUnitProof>(proof), tasks));
    return unit.segment;
}

// ------------------------------------------------------------------------------------------ check

Result<void, TransactionError> check_fraud(const CommitFraud&, const TransactionContext&) {
    return {};
}

Result<void, TransactionError> check_fraud(const RevealFraud& action,
                                           const TransactionContext& context) {
    TRY(check_height(action, context.height));
    return std::visit([&](const auto& proof) { return check_proof(proof, context.params); },
                      action.proof);
}

// ------------------------------------------------------------------------------------------ admit

Result<void, TransactionFailure> admit_fraud(const StateView& view, const Address& sender,
                                             const CommitFraud& action,
                                             const TransactionContext& context) {
    const Hash256 entry = bound(action.commitment, sender);
    for (std::uint64_t age = 0; age <= std::min(kRevealWindow, context.height); ++age) {
        TRY_ASSIGN(const auto live, view.get(commitment_key(context.height - age, entry)));
        if (live) return fail(TransactionError::commitment_known);
    }
    TRY_ASSIGN(const FraudAgenda agenda, read_agenda(view, end_of(context.height)));
    if (agenda.commitments.size() >= FraudAgenda::kMaxCommitments) {
        return fail(TransactionError::too_many_commitments);
    }
    return {};
}

Result<void, TransactionFailure> admit_fraud(const StateView& view, const Address& sender,
                                             const RevealFraud& action,
                                             const TransactionContext& context) {
    // Again, since it may have been checked for another height.
    TRY(check_height(action, context.height));
    return std::visit(
        [&](const auto& proof) { return admit_proof(view, sender, action, proof, context); },
        action.proof);
}

// ------------------------------------------------------------------------------------------ apply

Result<void, StoreError> apply_fraud(State& state, const Address& sender, const CommitFraud& action,
                                     const TransactionContext& context) {
    const Hash256 entry = bound(action.commitment, sender);
    const StateKey key = fraud_agenda_key(end_of(context.height));
    TRY_ASSIGN(auto agenda, read_agenda(state, end_of(context.height)));
    const auto index = static_cast<std::uint32_t>(agenda.commitments.size());
    CHECK(index < FraudAgenda::kMaxCommitments);  // admitted
    agenda.commitments.push_back(entry);
    state.put(key, agenda);
    state.put(commitment_key(context.height, entry),
              FraudCommitment{sender, context.params.fraud_deposit, index});
    return {};
}

Result<void, StoreError> apply_fraud(State& state, const Address& sender, const RevealFraud& action,
                                     const TransactionContext& context) {
    CHECK(context.tasks);
    const auto subject = subject_of(action.proof, *context.tasks);
    CHECK(subject);  // admitted
    const StateKey key = revealed_key(action, *subject, sender);
    TRY_ASSIGN(const auto commitment, require_entry<FraudCommitment>(state, key));
    state.erase(key);
    TRY(credit(state, sender, commitment.deposit));

    FraudCase claim;
    claim.owner = sender;
    claim.commit_height = action.commit_height;
    claim.commit_index = commitment.index;
    TRY_ASSIGN(auto open, read_entry<FraudCase>(state, fraud_case_key(*subject)));
    if (!open) {
        return std::visit(
            [&](const auto& proof) { return open_case(state, claim, proof, *subject, context); },
            action.proof);
    }
    if (std::pair(claim.commit_height, claim.commit_index) <
        std::pair(open->commit_height, open->commit_index)) {
        open->owner = claim.owner;
        open->commit_height = claim.commit_height;
        open->commit_index = claim.commit_index;
        state.put(fraud_case_key(*subject), *open);
    }
    return {};
}

// ------------------------------------------------------------------------------------------ close

Result<void, StoreError> close_fraud_agenda(State& state, std::uint64_t height,
                                            const ConsensusParams&) {
    const StateKey key = fraud_agenda_key(height);
    TRY_ASSIGN(const auto agenda, read_entry<FraudAgenda>(state, key));
    if (!agenda) return {};
    state.erase(key);
    for (const Hash256& entry : agenda->commitments) {
        const StateKey live = commitment_key(height - kRevealWindow - 1, entry);
        TRY_ASSIGN(const auto commitment, read_entry<FraudCommitment>(state, live));
        if (!commitment) continue;  // revealed
        TRY(burn(state, commitment->deposit));
        state.erase(live);
    }
    for (const Hash256& subject : agenda->cases) {
        const StateKey closed = fraud_case_key(subject);
        TRY_ASSIGN(const auto one, require_entry<FraudCase>(state, closed));
        TRY(credit(state, one.owner, one.reward));
        state.erase(closed);
    }
    return {};
}

}  // namespace gradient::chain
