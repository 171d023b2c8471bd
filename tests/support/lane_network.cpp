#include "tests/support/lane_network.hpp"

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/state/entries.hpp"
#include "chain/work/digests.hpp"
#include "tests/support/shared_store.hpp"
#include "tests/support/tiny_chain.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace gradient::test {

namespace {

// Calls f with the lane, of whichever type it is.
template <class Variant, class F>
decltype(auto) with_lane(Variant& lane, F f) {
    return std::visit(
        [&](auto& one) -> decltype(f(std::declval<chain::Lane&>())) {
            if constexpr (std::is_same_v<std::decay_t<decltype(one)>, std::monostate>) {
                CHECK(false);
                std::abort();
            } else {
                return f(one);
            }
        },
        lane);
}

}  // namespace

LaneNetwork::LaneNetwork(std::shared_ptr<const chain::Network> network,
                         std::vector<SimulatedMiner> miners)
    : network_(std::move(network)),
      miners_(std::move(miners)),
      store_(std::make_shared<chain::MemoryStore>()),
      lanes_(miners_.size()),
      counters_(miners_.size()) {
    tasks_.add(network_->task);
    ledger_ = *chain::Ledger::open(network_, std::make_unique<SharedStore>(store_));
    now_ms_ = static_cast<double>(network_->params().anchor.time_ms);
}

std::size_t LaneNetwork::mine_block() {
    start_lanes();
    for (;;) {
        const std::size_t miner = next_miner();
        const MinerPolicy& policy = miners_[miner].policy;
        Running& running = lanes_[miner];
        now_ms_ = running.ready_ms;
        running.ready_ms += 1000 / miners_[miner].units_per_second;
        if (policy.before_unit) policy.before_unit(std::get<OpenLane>(running.lane));
        const auto ticket =
            with_lane(running.lane, [&](auto& lane) { return lane.step(trainer()); });
        CHECK(ticket);
        counters_[miner].computed += 1;
        counters_[miner].hits += *ticket == chain::TicketClass::none ? 0U : 1U;
        if (*ticket == chain::TicketClass::win && take_win(miner)) return miner;
        const auto ends = with_lane(running.lane, [&](const auto& lane) {
            return lane.full() ||
                   (policy.restarts && policy.restarts(lane.units(), lane.last_hit()));
        });
        if (!ends) continue;
        finish_lane(miner);
        start_lane(miner);
    }
}

std::size_t LaneNetwork::next_miner() const {
    std::size_t first = 0;
    for (std::size_t i = 1; i < lanes_.size(); ++i) {
        if (lanes_[i].ready_ms < lanes_[first].ready_ms) first = i;
    }
    return first;
}

void LaneNetwork::start_lanes() {
    verify_known();
    templates_.clear();
    for (std::size_t i = 0; i < miners_.size(); ++i) {
        lanes_[i].work = template_for(i);
        start_lane(i);
    }
}

void LaneNetwork::start_lane(std::size_t miner) {
    Running& running = lanes_[miner];
    chain::BlockTemplate work = *running.work;
    work.tmpl.miner = tiny_key(miners_[miner].key).public_key();
    work.tmpl.time_ms = std::max(work.tmpl.time_ms, time_ms());
    const std::uint32_t number = lane_number_++;
    if (miners_[miner].policy.invents()) {
        running.lane.emplace<OpenLane>(work, number);
    } else {
        running.lane.emplace<chain::Lane>(work.start_lane(number));
    }
    running.ready_ms = now_ms_ + 1000 / miners_[miner].units_per_second;
}

// Miners that include the same shares work from one template, but for miner and time.
std::shared_ptr<const chain::BlockTemplate> LaneNetwork::template_for(std::size_t miner) {
    const std::uint64_t tip = ledger_->tip()->height();
    chain::TemplateContents contents;
    std::vector<chain::Hash256> ids;
    for (const KnownShare* share : select(miner)) {
        ids.push_back(share->id);
        if (share->verified->outcome.round == tip) {
            contents.shares.push_back(*share->verified);
        } else {
            contents.transactions.push_back({chain::ShareTransaction{*share->segment}});
        }
    }
    auto& work = templates_[ids];
    if (!work) {
        work = std::make_shared<const chain::BlockTemplate>(*chain::make_template(
            ledger_->tip(), std::move(contents), tiny_key().public_key(), time_ms(), trainers_));
    }
    return work;
}

// The shares that a miner includes: those it knows and wants, and which started from segments that
// are on the branch or among them.
LaneNetwork::Selection LaneNetwork::select(std::size_t miner) {
    const std::uint64_t tip = ledger_->tip()->height();
    const auto& includes = miners_[miner].policy.includes;
    const chain::Contributions branch(ledger_->tip()->state());
    std::set<chain::Hash256> there;
    const auto is_there = [&](const chain::Hash256& id) {
        return there.contains(id) || branch.round_of(id)->has_value();
    };
    Selection selection;
    std::size_t listed = 0;
    std::size_t late = 0;
    for (std::size_t before = known_.size() + 1; before != selection.size();) {
        before = selection.size();
        for (const KnownShare& share : known_) {
            if (!share.verified || share.known_from > tip || there.contains(share.id)) continue;
            if (includes && !includes(share.miner)) continue;
            if (!std::ranges::all_of(share.segment->listed, is_there)) continue;
            const bool is_late = share.verified->outcome.round != tip;
            std::size_t& count = is_late ? late : listed;
            if (count == (is_late ? chain::kMaxLateContributions : chain::kMaxListedSegments)) {
                continue;
            }
            ++count;
            there.insert(share.id);
            selection.push_back(&share);
        }
    }
    return selection;
}

bool LaneNetwork::take_win(std::size_t winner) {
    Running& running = lanes_[winner];
    const chain::SecretKey key = tiny_key(miners_[winner].key);
    auto built =
        with_lane(running.lane, [&](auto& lane) { return build_segment(lane, key, trainer()); });
    CHECK(built);
    const auto block =
        std::make_shared<const chain::Block>(running.work->assemble_block(*std::move(built)));
    auto settled = settlement_inputs(running);
    const auto skipped = [&] {
        const auto progress = chain::require_entry<chain::TaskProgress>(
            ledger_->tip()->state(), chain::progress_key(chain::kGenesisTask));
        return progress->skipped_rounds;
    };
    const std::uint64_t skipped_before = skipped();
    const auto submitted = ledger_->submit_block(block, time_ms(), trainers_);
    if (!submitted) {
        // Only who invents units can be refused: its own openings showed one.
        CHECK(miners_[winner].policy.invents());
        CHECK(chain::blame(submitted.error()) == chain::Consequence::invalid);
        counters_[winner].refused_blocks += 1;
        return false;
    }
    CHECK(*submitted == chain::CommitOutcome::extended);
    settled_ = std::move(settled);
    if (settled_) settled_->skipped = skipped() > skipped_before;
    block_bytes_ = chain::encoded_size(*block);
    note_block(winner, running, *block);
    hand_in(winner);
    return true;
}

// What the block's settlement starts from, as chain/transition gathers it.
std::optional<SettledInputs> LaneNetwork::settlement_inputs(const Running& winner) const {
    using namespace chain;
    const StateView& view = ledger_->tip()->state();
    const auto pending = read_entry<PendingRound>(view, pending_round_key());
    CHECK(pending);
    if (!*pending) return std::nullopt;
    SettledInputs inputs;
    inputs.theta = *require_parameters(view, model_key(kGenesisTask));
    const auto momentum = view.get(momentum_key(kGenesisTask));
    if (*momentum) inputs.momentum = *decode_parameters(**momentum);
    const auto history = read_entry<SettlementHistory>(view, history_key(kGenesisTask));
    inputs.history = history->value_or(SettlementHistory{});
    Contributions contributions(view);
    std::vector<Hash256> ids{(*pending)->winner};
    for (const VerifiedShare& share : winner.work->contents->shares) {
        contributions.add(share.outcome);
        ids.push_back(share.outcome.id);
    }
    const auto add = [&](const Hash256& id, const LoadedContribution& one) {
        inputs.segments.push_back(one);
        const auto owner = owners_.find(id);
        if (owner != owners_.end()) {
            inputs.miners.push_back(owner->second);
            return;
        }
        const auto known = std::ranges::find(known_, id, &KnownShare::id);
        CHECK(known != known_.end());
        inputs.miners.push_back(known->miner);
    };
    for (const Hash256& id : ids) {
        auto found = contributions.find(id, inputs.theta.size());
        CHECK(found && *found);
        (*found)->lateness = 0;
        add(id, **found);
    }
    const auto late = read_entry<LateList>(view, late_list_key(kGenesisTask));
    if (*late) {
        for (const Hash256& id : (*late)->segments) {
            const auto entry = require_entry<Contribution>(view, late_key(id));
            add(id, *load_contribution(*entry, late_key(id), inputs.theta.size()));
        }
    }
    return inputs;
}

// Who is in the new tip.
void LaneNetwork::note_block(std::size_t winner, const Running& lane, const chain::Block& block) {
    included_.clear();
    chain::SegmentOutcome own;
    own.id = chain::segment_id(chain::template_hash(block.header.tmpl), block.header.last_digest);
    own.round = block.header.tmpl.height;
    own.units = block.header.units;
    own.paid_units = block.header.units;
    own.hits = with_lane(
        lane.lane, [](const auto& one) { return static_cast<std::uint32_t>(one.hits().size()); });
    own.targets = lane.work->targets;
    included_.push_back({winner, 0, true, own});
    counters_[winner].wins += 1;
    std::set<chain::Hash256> in_block;
    for (const chain::VerifiedShare& share : lane.work->contents->shares) {
        in_block.insert(share.outcome.id);
    }
    for (const chain::Transaction& one : lane.work->contents->transactions) {
        const auto& segment = std::get<chain::ShareTransaction>(one.content).segment;
        const auto known = std::ranges::find_if(
            known_, [&](const KnownShare& share) { return share.segment->tmpl == segment.tmpl; });
        CHECK(known != known_.end());
        in_block.insert(known->id);
    }
    for (const KnownShare& share : known_) {
        if (!in_block.contains(share.id)) continue;
        const auto lateness = static_cast<std::uint32_t>(block.header.tmpl.height -
                                                         share.verified->outcome.round - 1);
        included_.push_back({share.miner, lateness, false, share.verified->outcome});
    }
    std::erase_if(known_, [&](const KnownShare& share) { return in_block.contains(share.id); });
    for (const IncludedShare& one : included_) {
        counters_[one.miner].included += one.outcome.units;
        owners_[one.outcome.id] = one.miner;
    }
}

// Ends a lane: what has a hit becomes a share.
void LaneNetwork::finish_lane(std::size_t miner) {
    Running& running = lanes_[miner];
    const auto last_hit = with_lane(running.lane, [](const auto& lane) { return lane.last_hit(); });
    if (last_hit == 0) return;
    const auto& before_hand_in = miners_[miner].policy.before_hand_in;
    double chance = 1;
    if (auto* open = std::get_if<OpenLane>(&running.lane)) {
        if (before_hand_in) counters_[miner].computed += before_hand_in(*open, trainer());
        if (open->last_hit() == 0) return;
        chance = open->chance_unseen();
    }
    auto built = with_lane(running.lane, [&](auto& lane) {
        return build_segment(lane, tiny_key(miners_[miner].key), trainer());
    });
    CHECK(built);
    finished_.push_back(
        {miner, std::make_shared<const chain::Segment>(std::move(built->segment)), chance});
}

void LaneNetwork::hand_in(std::size_t winner) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (i != winner) finish_lane(i);
    }
    const std::uint64_t tip = ledger_->tip()->height();
    for (Finished& one : finished_) {
        counters_[one.miner].handed_in += 1;
        counters_[one.miner].expected_refusals += 1 - one.chance_unseen;
        const chain::Hash256 lane = chain::template_hash(one.segment->tmpl);
        const auto digests = chain::lane_digests(lane, lanes_[one.miner].work->start.state,
                                                 one.segment->body.digests);
        known_.push_back({one.miner, std::move(one.segment),
                          chain::segment_id(lane, digests.back()),
                          tip + miners_[one.miner].policy.hold_blocks, std::nullopt});
    }
    finished_.clear();
}

// Verifies what can be by now, each share once; drops what is refused or too late.
void LaneNetwork::verify_known() {
    forget_known();
    const auto& tip = ledger_->tip();
    const chain::SettlementContext context{network_->params(), tasks_, trainers_};
    chain::ShareChecker checker(tip->state(), tip->height() + 1, context);
    for (const KnownShare& share : known_) {
        if (share.verified) checker.add_proven(share.verified->outcome);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (KnownShare& share : known_) {
            if (share.verified || !share.segment) continue;
            const auto placed = checker.place(share.segment);
            if (placed && !*checker.is_ready(*placed)) continue;
            changed = true;
            const auto checked = placed ? checker.check(*placed) : chain::fail(placed.error());
            const auto proven = checked ? chain::verify_segment(*checked, trainer())
                                        : chain::fail(chain::SegmentError::replay_missing);
            if (!proven) {
                CHECK(miners_[share.miner].policy.invents());
                counters_[share.miner].refused_shares += 1;
                share.segment.reset();
                continue;
            }
            share.verified.emplace(share.segment,
                                   chain::outcome_of(*proven, chain::encoded_size(*share.segment)),
                                   checked->start().state);
            CHECK(share.verified->outcome.id == share.id);
            checker.add_proven(share.verified->outcome);
        }
    }
    std::erase_if(known_, [](const KnownShare& share) { return !share.segment; });
}

void LaneNetwork::forget_known() {
    const std::uint64_t tip = ledger_->tip()->height();
    std::erase_if(known_, [tip](const KnownShare& share) {
        return share.segment->tmpl.height + chain::kMaxLateness < tip;
    });
}

}  // namespace gradient::test
