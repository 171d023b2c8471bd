#include "chain/transition/apply.hpp"

#include "chain/consensus/reward.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace gradient::chain {

namespace {

using Parameters = std::vector<std::int32_t>;

// theta_K - theta_0 of a contribution.
Result<Parameters, StoreError> delta_of(const StateView& view, const Hash256& segment,
                                        std::size_t count) {
    const StateKey key = contribution_key(segment);
    TRY_ASSIGN(const auto contribution, require_entry<Contribution>(view, key));
    auto delta = decode_delta(Parameters(count), contribution.delta);
    if (!delta) return fail(bad_entry(key, "it is no coded difference"));
    return *std::move(delta);
}

// The task's model with its pending round settled into it; the model as it is if there is none.
Result<Parameters, StoreError> settled_model(const StateView& view, std::uint32_t task,
                                             const std::optional<PendingRound>& round) {
    TRY_ASSIGN(Parameters theta, require_parameters(view, model_key(task)));
    if (!round || round->task != task) return theta;
    TRY_ASSIGN(const Parameters delta, delta_of(view, round->winner, theta.size()));
    for (std::size_t i = 0; i < theta.size(); ++i) theta[i] += delta[i];
    return theta;
}

// Step 1.
Result<void, StoreError> settle_round(State& state, std::uint64_t height) {
    TRY_ASSIGN(const auto round, read_entry<PendingRound>(state, pending_round_key()));
    if (!round) return {};
    const std::uint32_t task = round->task;
    TRY_ASSIGN(const Parameters theta, settled_model(state, task, round));
    const StateKey key = contribution_key(round->winner);
    TRY_ASSIGN(const auto contribution, require_entry<Contribution>(state, key));
    TRY_ASSIGN(auto progress, require_entry<TaskProgress>(state, progress_key(task)));
    progress.model_digest = model_digest(theta);
    progress.settled_rounds += 1;
    progress.units_claimed += contribution.units;
    progress.units_entered += contribution.units;
    progress.hits += contribution.hits;
    progress.segments += 1;
    progress.last_height = height;
    state.set(model_key(task), std::make_shared<const Bytes>(encode_parameters(theta)));
    state.put(progress_key(task), progress);
    state.erase(pending_round_key());
    state.erase(key);
    return {};
}

// Step 2.
Result<void, StoreError> release_pay(State& state, std::uint64_t height) {
    const StateKey key = maturing_pay_key(height);
    TRY_ASSIGN(const auto maturing, read_entry<MaturingPay>(state, key));
    if (!maturing) return {};
    for (const Pay& pay : maturing->pays) {
        const StateKey owner = account_key(pay.payee);
        TRY_ASSIGN(auto found, read_entry<Account>(state, owner));
        Account account = found.value_or(Account{});
        const auto balance = checked_add(account.balance, pay.amount);
        if (!balance) return fail(bad_entry(owner, "its balance exceeds all the coins there are"));
        account.balance = *balance;
        state.put(owner, account);
    }
    state.erase(key);
    return {};
}

// Step 4.
Result<void, StoreError> start_round(State& state, const Header& header,
                                     const WinnerOutcome& outcome) {
    const std::uint32_t task = header.tmpl.task;
    TRY_ASSIGN(const Parameters theta, require_parameters(state, model_key(task)));
    Parameters delta(theta.size());
    for (std::size_t i = 0; i < theta.size(); ++i) delta[i] = outcome.parameters[i] - theta[i];
    Contribution contribution;
    contribution.round = header.tmpl.height;
    contribution.task = task;
    contribution.hits = outcome.hits;
    contribution.paid_units = outcome.units;
    contribution.units = outcome.units;
    contribution.delta = encode_delta(Parameters(theta.size()), delta);
    state.put(contribution_key(outcome.segment), contribution);
    state.put(pending_round_key(), PendingRound{header.tmpl.height, task, outcome.segment});
    return {};
}

// Step 5. Pay never lifts the supply above the largest amount: what would exceed it is not minted.
Result<void, StoreError> mint_pay(State& state, const Header& header, const WinnerOutcome& outcome,
                                  const ConsensusParams& params) {
    const std::uint64_t height = header.tmpl.height;
    const auto earned =
        checked_add(block_reward(params, height),
                    segment_reward(params, height, outcome.targets, outcome.hits, outcome.units));
    TRY_ASSIGN(auto totals, require_entry<Totals>(state, totals_key()));
    const auto left = checked_sub(kMaxAmount, totals.minted);
    if (!left) return fail(bad_entry(totals_key(), "more is minted than there may be"));
    const Amount amount = std::min(earned.value_or(kMaxAmount), *left);
    if (amount.is_zero()) return {};

    totals.minted = checked_add(totals.minted, amount).value_or(kMaxAmount);
    state.put(totals_key(), totals);
    const StateKey key = maturing_pay_key(height + params.maturity_blocks);
    TRY_ASSIGN(auto maturing, read_entry<MaturingPay>(state, key));
    MaturingPay pays = std::move(maturing).value_or(MaturingPay{});
    pays.pays.push_back({address_of(header.tmpl.miner), amount, outcome.segment});
    state.put(key, pays);
    return {};
}

}  // namespace

WinnerOutcome outcome_of(const ProvenBlock& block) noexcept {
    const ProvenSegment& winner = block.winner();
    return {winner.id(), winner.hits(), winner.units(), winner.parameters(),
            block.header().targets()};
}

Result<LaneStart, StoreError> lane_start(const StateView& view, std::uint32_t task,
                                         const ConsensusParams&) {
    TRY_ASSIGN(const auto round, read_entry<PendingRound>(view, pending_round_key()));
    TRY_ASSIGN(Parameters theta, settled_model(view, task, round));
    return LaneStart(std::make_shared<const Parameters>(std::move(theta)));
}

Result<StateDiff, StoreError> apply_block(const StateView& parent, const Header& header,
                                          const WinnerOutcome& outcome,
                                          const ConsensusParams& params) {
    State state(parent);
    TRY(settle_round(state, header.tmpl.height));
    TRY(release_pay(state, header.tmpl.height));
    TRY(start_round(state, header, outcome));
    TRY(mint_pay(state, header, outcome, params));
    return state.diff();
}

std::uint32_t draw_task(const Hash256&) noexcept {
    return kGenesisTask;
}

}  // namespace gradient::chain
