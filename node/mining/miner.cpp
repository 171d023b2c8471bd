#include "node/mining/miner.hpp"

#include "node/setup/clock.hpp"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace gradient::node {

std::optional<double> MiningCounters::useful_fraction() const noexcept {
    const std::uint64_t known = units_in_blocks + units_abandoned;
    if (known == 0) return std::nullopt;
    return static_cast<double>(units_in_blocks) / static_cast<double>(known);
}

Miner::Miner(WorkerPool& pool, TrainerPool& trainers, const chain::SecretKey& key, unsigned lanes,
             Submit submit)
    : pool_(pool), trainers_(trainers), key_(key), submit_(std::move(submit)) {
    for (unsigned i = 0; i < lanes; ++i) {
        slots_.push_back(std::make_unique<Slot>());
        slots_.back()->number = i;
    }
}

void Miner::set_parent(std::shared_ptr<const chain::ParentState> parent) {
    std::vector<Slot*> to_post;
    {
        const std::lock_guard lock(mutex_);
        parent_ = std::move(parent);
        ++generation_;
        counters_.active = parent_ != nullptr;
        for (const auto& slot : slots_) {
            if (!slot->posted) to_post.push_back(slot.get());
            slot->posted = true;
        }
    }
    for (Slot* const slot : to_post) post(*slot);
}

void Miner::settle(std::uint32_t units, bool accepted) {
    const std::lock_guard lock(mutex_);
    counters_.units_in_progress -= units;
    (accepted ? counters_.units_in_blocks : counters_.units_abandoned) += units;
    counters_.blocks += accepted ? 1U : 0U;
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
    const auto trainer = trainers_.lease();
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
        drop_lane(slot);  // the next lane on this parent has another time
    }
    post(slot);
}

// Whether the slot has a unit to run; if not, it is no longer posted.
bool Miner::go_on(Slot& slot, const std::stop_token& stop) {
    std::shared_ptr<const chain::ParentState> parent;
    std::uint64_t generation = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!stop.stop_requested()) parent = parent_;
        generation = generation_;
    }
    if (slot.generation != generation || slot.parent != parent) {
        drop_lane(slot);
        slot.won = false;
        slot.parent = std::move(parent);
        slot.generation = generation;
    }
    if (slot.parent && !slot.won) return true;
    rest(slot, stop);
    return false;
}

void Miner::rest(Slot& slot, const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    // A parent that came since then would have found the slot posted.
    const bool missed = !stop.stop_requested() && generation_ != slot.generation;
    slot.posted = missed;
    if (missed) post(slot);
}

void Miner::start_lane(Slot& slot) {
    const auto work = chain::make_template(slot.parent, key_.public_key(), now_ms());
    slot.lane.emplace(work.start_lane(slot.number));
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
    // The last unit won, so the segment holds every unit of the lane; settle() will account for
    // them.
    slot.lane.reset();
    slot.won = true;
    submit_(chain::assemble_block(*std::move(built)));
}

}  // namespace gradient::node
