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

void Miner::settle(std::uint64_t units, bool accepted, bool is_block) {
    const std::lock_guard lock(mutex_);
    (is_block ? counters_.units_in_progress : counters_.units_waiting) -= units;
    (accepted ? counters_.units_in_blocks : counters_.units_abandoned) += units;
    if (accepted) ++(is_block ? counters_.blocks : counters_.shares);
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
    {
        const std::lock_guard lock(mutex_);
        counters_.units_in_progress -= built->header.units;
        counters_.units_waiting += built->header.units;
    }
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
    slot.lane.reset();  // settle() will account for its units
    slot.won = true;
    outlets_.block(slot.work->assemble_block(*std::move(built)));
}

}  // namespace gradient::node
