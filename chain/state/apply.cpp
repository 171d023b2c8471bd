#include "chain/state/apply.hpp"

#include "chain/consensus/reward.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/settlement.hpp"
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

// The task's model with its pending round settled into it; the model as it is if there is none.
Result<Parameters, StoreError> settled_model(const StateView& view, std::uint32_t task,
                                             const std::optional<PendingRound>& round,
                                             const ConsensusParams& params) {
    TRY_ASSIGN(Parameters theta, require_parameters(view, model_key(task)));
    if (!round) return theta;
    TRY_ASSIGN(const StateValue coded, view.get(round_delta_key(task)));
    if (!coded) return fail(bad_entry(round_delta_key(task), "it is missing"));
    const auto final = decode_delta(theta, *coded);
    if (!final) return fail(bad_entry(round_delta_key(task), "it is no coded difference"));
    const SettledSegment winner{segment_weight(round->hits, round->units, params.full_pay_units),
                                *final};
    return settle(theta, {&winner, 1}, 0);
}

// Step 1, for one task.
Result<void, StoreError> settle_round(State& state, std::uint32_t task, std::uint64_t height,
                                      const ConsensusParams& params) {
    TRY_ASSIGN(const auto round, read_entry<PendingRound>(state, round_key(task)));
    if (!round) return {};
    TRY_ASSIGN(const Parameters theta, settled_model(state, task, round, params));
    TRY_ASSIGN(auto progress, require_entry<TaskProgress>(state, progress_key(task)));
    progress.model_digest = model_digest(theta);
    progress.settled_rounds += 1;
    progress.units_claimed += round->units;
    progress.hits += round->hits;
    progress.segments += 1;
    progress.last_height = height;
    state.set(model_key(task), std::make_shared<const Bytes>(encode_parameters(theta)));
    state.put(progress_key(task), progress);
    state.erase(round_key(task));
    state.erase(round_delta_key(task));
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
    PendingRound round;
    round.height = header.tmpl.height;
    round.segment = outcome.segment;
    round.final_digest = model_digest(outcome.parameters);
    round.hits = outcome.hits;
    round.units = outcome.units;
    round.displacement = displacement(theta, outcome.parameters);
    state.put(round_key(task), round);
    state.set(round_delta_key(task),
              std::make_shared<const Bytes>(encode_delta(theta, outcome.parameters)));
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
    pays.pays.push_back({address_of(header.tmpl.miner), amount});
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
                                         const ConsensusParams& params) {
    TRY_ASSIGN(const auto round, read_entry<PendingRound>(view, round_key(task)));
    TRY_ASSIGN(Parameters theta, settled_model(view, task, round, params));
    return LaneStart(std::make_shared<const Parameters>(std::move(theta)));
}

Result<StateDiff, StoreError> apply_block(const StateView& parent, const Header& header,
                                          const WinnerOutcome& outcome,
                                          const ConsensusParams& params) {
    State state(parent);
    // With one task, the task that the parent trained is the task that this block trains.
    TRY(settle_round(state, header.tmpl.task, header.tmpl.height, params));
    TRY(release_pay(state, header.tmpl.height));
    TRY(start_round(state, header, outcome));
    TRY(mint_pay(state, header, outcome, params));
    return state.diff();
}

std::uint32_t draw_task(const Hash256&) noexcept {
    return kGenesisTask;
}

}  // namespace gradient::chain
