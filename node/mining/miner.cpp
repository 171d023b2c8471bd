#include "node/mining/miner.hpp"

#include "node/mining/lane_choice.hpp"
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

std::uint64_t Miner::set_work(Work work, std::optional<Clock::time_point> asked) {
    std::vector<Slot*> to_post;
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        work_ = std::move(work);
        number = ++number_;
        asked_ = work_ ? asked : std::nullopt;
        counters_.active = work_ != nullptr;
        for (const auto& slot : slots_) {
            if (!work_ || slot->posted) continue;
            slot->posted = true;
            to_post.push_back(slot.get());
        }
    }
    for (Slot* const slot : to_post) post(*slot);
    tell_if_handed_in();
    return number;
}

Miner::Work Miner::work() const {
    const std::lock_guard lock(mutex_);
    return work_;
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
    counters.restart_ms_last = restarts_.last_ms();
    counters.restart_ms_median = restarts_.median_ms();
    return counters;
}

void Miner::post(Slot& slot) {
    pool_.post(Priority::mine, {}, [this, &slot](const std::stop_token& stop) { run(slot, stop); });
}

// A job of one slot: whatever happens, the slot runs on or rests until the next work.
void Miner::run(Slot& slot, const std::stop_token& stop) noexcept {
    try {
        run_unit(slot, stop);
    } catch (const std::exception& error) {
        spdlog::error("a lane failed and rests until the next work: {}", error.what());
        drop_lane(slot);
        rest(slot, stop);
    }
}

// One unit of one slot, then the slot's next job.
void Miner::run_unit(Slot& slot, const std::stop_token& stop) {
    const Work work = next_work(slot, stop);
    if (!work) return rest(slot, stop);
    if (!slot.running) start_lane(slot, work);
    chain::Lane& lane = slot.running->lane;
    const auto trainer = trainers_.lease(slot.running->work->parent->task());
    const auto ticket = lane.step(*trainer);
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
        win_block(slot, *trainer);
    } else if (lane.full()) {
        end_lane(slot);
    }
    post(slot);
}

// The work that the slot is to go on with, its lane ended if that has been overtaken; null if the
// slot is to rest.
Miner::Work Miner::next_work(Slot& slot, const std::stop_token& stop) {
    if (stop.stop_requested()) {
        drop_lane(slot);
        return nullptr;
    }
    Work work;
    std::uint64_t number = 0;
    bool is_new = false;
    double units_per_second = 0;
    {
        const std::lock_guard lock(mutex_);
        work = work_;
        number = number_;
        is_new = slot.seen != number;
        if (is_new) units_per_second = rate_.rate(RateMeter::Clock::now()) / lanes();
    }
    if (is_new) {
        if (slot.running && !goes_on(*slot.running, work, units_per_second)) end_lane(slot);
        slot.won = false;
        {
            const std::lock_guard lock(mutex_);
            slot.seen = number;
        }
        tell_if_handed_in();
    }
    return slot.won ? nullptr : work;
}

// On another parent no lane goes on.
bool Miner::goes_on(const Running& running, const Work& next, double units_per_second) {
    if (!next || next->parent->id() != running.work->parent->id()) return false;
    const double interval_s =
        static_cast<double>(next->parent->network().params().interval_ms) / 1000;
    return pays_to_stay(running.lane, *running.work, *next, units_per_second * interval_s);
}

void Miner::rest(Slot& slot, const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    // Work that came since then would have found the slot posted.
    slot.posted = !stop.stop_requested() && number_ != slot.seen;
    if (slot.posted) post(slot);
}

void Miner::start_lane(Slot& slot, const Work& work) {
    // Lanes of one parent differ in their number: their times may be the same.
    const chain::Hash256& parent = work->parent->id();
    slot.started = slot.parent == parent ? slot.started + 1 : 0;
    slot.parent = parent;
    chain::BlockTemplate own = *work;
    own.tmpl.time_ms = std::max(own.tmpl.time_ms, now_ms());
    slot.running.emplace(Running{work, own.start_lane(slot.number + lanes() * slot.started)});
    const std::lock_guard lock(mutex_);
    if (work != work_ || !asked_) return;
    restarts_.record(Clock::now() - *asked_);
    asked_.reset();
}

// A lane that has been overtaken or is full becomes a share if it has a hit. Building that replays
// up to some twenty units, so it is a job of its own, and as a share loses a quarter of its pay
// with each block that it comes late, one that goes before units.
void Miner::end_lane(Slot& slot) {
    if (slot.running->lane.last_hit() == 0) return drop_lane(slot);
    const auto ended = std::make_shared<const Running>(*std::move(slot.running));
    slot.running.reset();
    {
        const std::lock_guard lock(mutex_);
        ++building_;
    }
    pool_.post(Priority::verify, {},
               [this, ended](const std::stop_token& stop) { build_share(*ended, stop); });
}

void Miner::build_share(const Running& ended, const std::stop_token& stop) noexcept {
    bool remembered = false;
    try {
        if (stop.stop_requested()) return abandon(ended.lane);
        const auto trainer = trainers_.lease(ended.work->parent->task());
        auto built = chain::build_segment(ended.lane, key_, *trainer);
        if (built) {
            remember(*built, Place::waiting);
            remembered = true;
            outlets_.share(std::move(built->segment));
        } else {
            spdlog::error("a share is lost: {}", chain::describe(built.error()));
            abandon(ended.lane);
        }
    } catch (const std::exception& error) {
        spdlog::error("a share is lost: {}", error.what());
        remembered ? settle(ended.lane.template_hash(), SegmentFate::given_up)
                   : abandon(ended.lane);
    }
    {
        const std::lock_guard lock(mutex_);
        --building_;
    }
    tell_if_handed_in();
}

void Miner::tell_if_handed_in() {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = number_;
        const auto lags = [&](const auto& slot) { return slot->posted && slot->seen != number; };
        if (building_ > 0 || std::ranges::any_of(slots_, lags)) return;
    }
    outlets_.handed_in(number);
}

void Miner::drop_lane(Slot& slot) {
    if (!slot.running) return;
    abandon(slot.running->lane);
    slot.running.reset();
}

void Miner::abandon(const chain::Lane& lane) {
    const std::lock_guard lock(mutex_);
    counters_.units_in_progress -= lane.units();
    counters_.units_abandoned += lane.units();
}

void Miner::win_block(Slot& slot, model::Trainer& trainer) {
    auto built = chain::build_segment(slot.running->lane, key_, trainer);
    if (!built) {
        spdlog::error("a won block is lost: {}", chain::describe(built.error()));
        return drop_lane(slot);
    }
    const Work work = std::move(slot.running->work);
    slot.running.reset();
    slot.won = true;
    remember(*built, Place::in_progress);
    const chain::Hash256 lane = chain::template_hash(built->header.tmpl);
    try {
        outlets_.block(work->assemble_block(*std::move(built)));
    } catch (const std::exception& error) {
        spdlog::error("a won block is lost: {}", error.what());
        settle(lane, SegmentFate::given_up);
    }
}

}  // namespace gradient::node
