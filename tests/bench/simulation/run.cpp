#include "tests/bench/simulation/run.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/reward.hpp"
#include "chain/state/entries.hpp"
#include "chain/transition/pay.hpp"
#include "tests/support/tiny_chain.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gradient::simulation {

namespace {

constexpr std::size_t kRunningMean = 8;  // points of a curve

double coins(std::int64_t units) {
    return static_cast<double>(units) / static_cast<double>(chain::kCoin);
}

std::int64_t units_of(chain::Amount amount) {
    return static_cast<std::int64_t>(amount.units());
}

// How far a round's model would lie elsewhere if an owner's deltas were zero.
double influence_of(const test::SettledInputs& inputs, const chain::SettlementRules& rules,
                    const std::function<bool(std::size_t)>& owns) {
    const std::vector<std::int32_t> nothing(inputs.theta.size());
    std::vector<chain::SettledSegment> with;
    std::vector<chain::SettledSegment> without;
    for (std::size_t i = 0; i < inputs.segments.size(); ++i) {
        const chain::LoadedContribution& one = inputs.segments[i];
        with.push_back({one.hits, one.paid_units, one.lateness, *one.delta});
        without.push_back(with.back());
        if (owns(inputs.miners[i])) without.back().delta = nothing;
    }
    const auto settle = [&](const std::vector<chain::SettledSegment>& segments) {
        return chain::settle_round(inputs.theta, inputs.momentum, inputs.history, segments, rules)
            .theta;
    };
    return static_cast<double>(chain::displacement(settle(without), settle(with)));
}

// The most that an owner's deltas of that weight could have displaced the round's model: clipped to
// the cap, all in one direction, with the momentum's half on top where there is one.
double influence_bound(const test::SettledInputs& inputs, const chain::SettlementRules& rules,
                       const std::function<bool(std::size_t)>& owns) {
    std::vector<std::uint64_t> weights;
    for (const chain::LoadedContribution& one : inputs.segments) {
        weights.push_back(chain::segment_weight(one.hits, one.paid_units, rules.full_units));
    }
    const std::uint64_t total = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
    const std::uint64_t most = weights.size() >= 4 ? total / 4 : total;
    const auto usual = chain::usual_segment(inputs.history);
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const chain::LoadedContribution& one = inputs.segments[i];
        const auto weight = static_cast<double>(std::min(weights[i], most));
        if (!owns(inputs.miners[i])) continue;
        const std::uint64_t cap =
            chain::displacement_cap(one.hits, usual, rules.initial_displacement);
        sum += weight / (1 + one.lateness) *
               static_cast<double>(std::min<std::uint64_t>(cap, chain::kMaxDisplacement));
    }
    const double divisor =
        static_cast<double>(std::max(total, chain::least_weight(inputs.history)));
    return sum / divisor * (weights.size() == 1 ? 1.0 : 1.5);
}

// Follows a network block by block.
class Recorder {
  public:
    Recorder(test::LaneNetwork& network, const RunOptions& options)
        : network_(network), options_(options) {
        double speed = 0;
        for (const auto& miner : network.miners()) speed += miner.units_per_second;
        for (const auto& miner : network.miners()) {
            figures_.owners[miner.key].speed += miner.units_per_second / speed;
        }
        const auto& shape = network.network().task->record.shape;
        const auto& params = network.network().params();
        rules_ = {params.full_pay_units,
                  (std::uint64_t{shape.x_clip} + shape.y_clip) * params.work.units_per_hit};
        note_loss();
    }

    void note_block() {
        const chain::ParentState& tip = *network_.ledger().tip();
        figures_.blocks += 1;
        figures_.replayed += tip.index().replayed_units;
        figures_.largest_block = std::max(figures_.largest_block, network_.block_bytes());
        figures_.block_bytes += network_.block_bytes();
        figures_.emission.block_rewards += units_of(chain::block_reward(params(), tip.height()));
        for (const auto& one : network_.included()) note_segment(one);
        note_influence();
        figures_.computed = 0;
        for (const auto& counters : network_.counters()) figures_.computed += counters.computed;
        note_loss();
    }

    RunFigures finish() {
        auto& emission = figures_.emission;
        std::uint64_t hits = 0;
        for (std::size_t i = 0; i < network_.miners().size(); ++i) {
            add(network_.miners()[i].key, network_.counters()[i]);
            hits += network_.counters()[i].hits;
            figures_.included += network_.counters()[i].included;
        }
        const auto pot = units_of(params().hit_reward);
        emission.hit_pot = pot * static_cast<std::int64_t>(figures_.blocks);
        emission.hit_noise = static_cast<std::int64_t>(hits) * hit_pay_ - emission.hit_pot;
        emission.not_included = included_pay_ - static_cast<std::int64_t>(hits) * hit_pay_;
        figures_.coins = test::audit_coins(network_.store(), params().fraud_deposit.units());
        for (auto& [key, owner] : figures_.owners) {
            const auto address = chain::address_of(test::tiny_key(key).public_key());
            owner.income = coins(static_cast<std::int64_t>(figures_.coins.owners[address]));
            owner.entitled =
                coins(static_cast<std::int64_t>(owner.counters.hits) * hit_pay_) +
                static_cast<double>(owner.counters.wins) * coins(units_of(params().block_reward));
        }
        const auto progress = chain::require_entry<chain::TaskProgress>(
            network_.ledger().tip()->state(), chain::progress_key(chain::kGenesisTask));
        CHECK(progress);
        figures_.entered = progress->units_entered;
        figures_.skipped = progress->skipped_rounds;
        return std::move(figures_);
    }

    [[nodiscard]] const RunFigures& figures() const noexcept { return figures_; }

  private:
    [[nodiscard]] const chain::ConsensusParams& params() const {
        return network_.network().params();
    }

    void note_segment(const test::IncludedShare& one) {
        const chain::SegmentOutcome& outcome = one.outcome;
        figures_.claimed += outcome.units;
        figures_.shares += one.is_winner ? 0 : 1;
        figures_.late_shares += one.lateness > 0 ? 1 : 0;
        // The targets' rounding makes it differ a little from block to block.
        const auto hit_pay = units_of(chain::hit_reward(params(), outcome.round, outcome.targets));
        if (hit_pay_ == 0) hit_pay_ = hit_pay;
        included_pay_ += hit_pay * outcome.hits;
        const chain::Amount full = chain::segment_reward(params(), outcome.round, outcome.targets,
                                                         outcome.hits, outcome.paid_units);
        const chain::Amount paid = chain::late_pay(full, one.lateness);
        Emission& emission = figures_.emission;
        emission.short_lanes += units_of(full) - hit_pay * outcome.hits;
        emission.lateness += units_of(paid) - units_of(full);
        if (!one.is_winner) emission.cuts += units_of(paid) / params().cut_divisor;
    }

    void note_influence() {
        const auto& inputs = network_.settled();
        if (!inputs || inputs->skipped) return;
        for (const std::uint8_t key : options_.influence) {
            const auto owns = [&](std::size_t miner) {
                return network_.miners()[miner].key == key;
            };
            OwnerFigures& owner = figures_.owners[key];
            owner.influence += influence_of(*inputs, rules_, owns);
            owner.influence_bound += influence_bound(*inputs, rules_, owns);
        }
    }

    void note_loss() {
        const auto model = chain::require_parameters(network_.ledger().tip()->state(),
                                                     chain::model_key(chain::kGenesisTask));
        CHECK(model);
        const chain::SharedTask& task = network_.network().task;
        const auto sequences = task->data->held_out_sequences(task->record.shape.rows);
        const auto evaluation = network_.trainers().trainer_of(task).evaluate(*model, 0, sequences);
        CHECK(evaluation);
        figures_.curve.emplace_back(static_cast<double>(figures_.computed), evaluation->brier());
    }

    void add(std::uint8_t key, const test::LaneCounters& more) {
        test::LaneCounters& sum = figures_.owners[key].counters;
        sum.computed += more.computed;
        sum.included += more.included;
        sum.hits += more.hits;
        sum.wins += more.wins;
        sum.handed_in += more.handed_in;
        sum.refused_shares += more.refused_shares;
        sum.refused_blocks += more.refused_blocks;
        sum.expected_refusals += more.expected_refusals;
    }

    test::LaneNetwork& network_;
    const RunOptions& options_;
    chain::SettlementRules rules_;
    RunFigures figures_;
    std::int64_t hit_pay_ = 0;
    std::int64_t included_pay_ = 0;  // of all included hits, in full
};

}  // namespace

double RunFigures::final_loss() const {
    const std::size_t count = std::max<std::size_t>(1, curve.size() / 10);
    double sum = 0;
    for (std::size_t i = curve.size() - count; i < curve.size(); ++i) sum += curve[i].second;
    return sum / static_cast<double>(count);
}

RunFigures run_network(std::shared_ptr<const chain::Network> network,
                       std::vector<test::SimulatedMiner> miners, const RunOptions& options) {
    test::LaneNetwork lanes(std::move(network), std::move(miners));
    Recorder recorder(lanes, options);
    cli::ProgressBar bar(options.label);
    for (std::uint64_t i = 0; i < options.blocks; ++i) {
        lanes.mine_block();
        recorder.note_block();
        bar.show(i + 1, options.blocks);
        if (options.enough && options.enough(recorder.figures())) break;
    }
    return recorder.finish();
}

double units_to_reach(const std::vector<std::pair<double, double>>& curve, double loss) {
    double sum = 0;
    for (std::size_t i = 0; i < curve.size(); ++i) {
        sum += curve[i].second;
        if (i >= kRunningMean) sum -= curve[i - kRunningMean].second;
        if (i + 1 >= kRunningMean && sum / kRunningMean <= loss) return curve[i].first;
    }
    return std::numeric_limits<double>::infinity();
}

}  // namespace gradient::simulation
