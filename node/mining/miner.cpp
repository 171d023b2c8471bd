#include "node/mining/miner.hpp"

#include "node/setup/clock.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace gradient::node {

std::optional<double> MiningCounters::useful_fraction() const noexcept {
    const std::uint64_t known = units_in_blocks + units_abandoned;
    if (known == 0) return std::nullopt;
    return static_cast<double>(units_in_blocks) / static_cast<double>(known);
}

Miner::Miner(WorkerPool& pool, TrainerPool& trainers, const chain::SecretKey& key, unsigned lanes,
             Outlets outlets)
    : pool_(pool), trainers_(trainers), key_(key), outlets_(std::move(outlets)) {
    for (unsigned i = 0; i < lanes; ++i) {
        slots_.push_back(std::make_unique<Slot>());
        slots_.back()->number = i;
    }
}

void Miner::set_work(Work work) {
    std::vector<Slot*> to_post;
    {
        const std::lock_guard lock(mutex_);
        work_ = std::move(work);
        ++generation_;
        counters_.active = work_ != nullptr;
        for (const auto& slot : slots_) {
            if (!slot->posted) to_post.push_back(slot.get());
            slot->posted = true;
        }
    }
    for (Slot* const slot : to_post) post(*slot);
}

void Miner::settle(const chain::Hash256& lane, SegmentFate fate) {
    const std::lock_guard lock(mutex_);
    const auto found = handed_out_.find(lane);
    if (found == handed_out_.end()) return;
    HandedOut& segment = found->second;
    const bool on_chain = segment.place == Place::block || segment.place == Place::share;
    switch (fate) {
        case SegmentFate::ended_block:
            return count_at(segment, Place::block);
        case SegmentFate::included:
            return count_at(segment, Place::share);
        case SegmentFate::waiting:
            return count_at(segment, Place::waiting);
        case SegmentFate::given_up:
            if (!on_chain) count_at(segment, Place::abandoned);
            return;
    }
}

// Moves a segment's units to another place.
void Miner::count_at(HandedOut& segment, Place place) {
    units_at(segment.place) -= segment.units;
    units_at(place) += segment.units;
    counters_.blocks -= segment.place == Place::block ? 1U : 0U;
    counters_.blocks += place == Place::block ? 1U : 0U;
    counters_.shares -= segment.place == Place::share ? 1U : 0U;
    counters_.shares += place == Place::share ? 1U : 0U;
    segment.place = place;
}

std::uint64_t& Miner::units_at(Place place) {
    switch (place) {
        case Place::in_progress:
            return counters_.units_in_progress;
        case Place::waiting:
            return counters_.units_waiting;
        case Place::abandoned:
            return counters_.units_abandoned;
        case Place::block:
        case Place::share:
            break;
    }
    return counters_.units_in_blocks;
}

// A segment is about to be handed out; its units were those of a running lane.
void Miner::remember(const chain::BuiltSegment& built, Place place) {
    const chain::Hash256 lane = chain::template_hash(built.header.tmpl);
    const std::lock_guard lock(mutex_);
    if (handed_out_order_.size() == kMaxHandedOut) forget_oldest();
    HandedOut segment{built.header.units, Place::in_progress};
    const auto [added, is_new] = handed_out_.try_emplace(lane, segment);
    // The same lane once more, after a restart within a millisecond: it brings nothing.
    if (!is_new) return count_at(segment, Place::abandoned);
    handed_out_order_.push_back(lane);
    count_at(added->second, place);
}

void Miner::forget_oldest() {
    const auto oldest = handed_out_.find(handed_out_order_.front());
    const Place place = oldest->second.place;
    // Nobody will tell any more.
    if (place == Place::in_progress || place == Place::waiting)
        count_at(oldest->second, Place::abandoned);
    handed_out_.erase(oldest);
    handed_out_order_.pop_front();
}

MiningCounters Miner::counters() const {
    const std::lock_guard lock(mutex_);
    MiningCounters counters = counters_;
    counters.units_per_second = rate_.rate(RateMeter::Clock::now());
    return counters;
}

void Miner::post(Slot& slot) {
    pool_.post(Priority::mine, {}, [this, &slot](const std::stop_token& stop) { run(slot, stop); });
}

// A job of one slot: whatever happens, the slot runs on or rests until the next parent.
void Miner::run(Slot& slot, const std::stop_token& stop) noexcept {
    try {
        run_unit(slot, stop);
    } catch (const std::exception& error) {
        spdlog::error("a lane failed and rests until the next block: {}", error.what());
        drop_lane(slot);
        rest(slot, stop);
    }
}

// One unit of one slot, then the slot's next job.
void Miner::run_unit(Slot& slot, const std::stop_token& stop) {
    if (!go_on(slot, stop)) return;
    if (!slot.lane) start_lane(slot);
    const auto trainer = trainers_.lease(slot.work->parent->task());
    const auto ticket = slot.lane->step(*trainer);
    if (!ticket) {
        spdlog::error("a lane failed and starts again: {}", chain::describe(ticket.error()));
        drop_lane(slot);
        post(slot);
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        ++counters_.units_computed;
        ++counters_.units_in_progress;
        counters_.hits += *ticket != chain::TicketClass::none ? 1U : 0U;
        rate_.count(RateMeter::Clock::now());
    }
    if (*ticket == chain::TicketClass::win) {
        hand_out(slot, *trainer);
    } else if (slot.lane->full()) {
        end_lane(slot);  // the next lane of this work has another time
    }
    post(slot);
}

// Whether the slot has a unit to run; if not, it is no longer posted.
bool Miner::go_on(Slot& slot, const std::stop_token& stop) {
    Work work;
    std::uint64_t generation = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!stop.stop_requested()) work = work_;
        generation = generation_;
    }
    if (slot.generation != generation || slot.work != work) {
        stop.stop_requested() ? drop_lane(slot) : end_lane(slot);
        slot.won = false;
        slot.work = std::move(work);
        slot.generation = generation;
    }
    if (slot.work && !slot.won) return true;
    rest(slot, stop);
    return false;
}

void Miner::rest(Slot& slot, const std::stop_token& stop) {
    bool all_rest = false;
    {
        const std::lock_guard lock(mutex_);
        // Work that came since then would have found the slot posted.
        const bool missed = !stop.stop_requested() && generation_ != slot.generation;
        slot.posted = missed;
        if (missed) post(slot);
        const auto rests = [](const auto& one) { return !one->posted; };
        all_rest = !work_ && std::ranges::all_of(slots_, rests);
    }
    if (all_rest) outlets_.rest();
}

void Miner::start_lane(Slot& slot) {
    // Lanes of one work differ in their number, lanes of one slot in their time.
    chain::BlockTemplate own = *slot.work;
    own.tmpl.time_ms = std::max(own.tmpl.time_ms, now_ms());
    slot.lane.emplace(own.start_lane(slot.number));
}

// A lane that has been overtaken or is full becomes a share if it has a hit.
void Miner::end_lane(Slot& slot) {
    if (!slot.lane) return;
    if (slot.lane->last_hit() == 0) return drop_lane(slot);
    const auto trainer = trainers_.lease(slot.work->parent->task());
    auto built = chain::build_segment(*slot.lane, key_, *trainer);
    if (!built) {
        spdlog::error("a share is lost: {}", chain::describe(built.error()));
        return drop_lane(slot);
    }
    slot.lane.reset();
    remember(*built, Place::waiting);
    outlets_.share(std::move(built->segment));
}

void Miner::drop_lane(Slot& slot) {
    if (!slot.lane) return;
    const std::uint32_t units = slot.lane->units();
    slot.lane.reset();
    const std::lock_guard lock(mutex_);
    counters_.units_in_progress -= units;
    counters_.units_abandoned += units;
}

void Miner::hand_out(Slot& slot, model::Trainer& trainer) {
    auto built = chain::build_segment(*slot.lane, key_, trainer);
    if (!built) {
        spdlog::error("a won block is lost: {}", chain::describe(built.error()));
        drop_lane(slot);
        return;
    }
    slot.lane.reset();
    slot.won = true;
    remember(*built, Place::in_progress);
    outlets_.block(slot.work->assemble_block(*std::move(built)));
}

}  // namespace gradient::node
