#pragma once

#include "chain/base/check.hpp"
#include "chain/block_template.hpp"
#include "chain/ledger.hpp"
#include "chain/network.hpp"
#include "chain/work/segment_builder.hpp"
#include "chain/work/task_model.hpp"
#include "model/text/text_dataset.hpp"
#include "tests/support/tiny_chain.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace gradient::test {

inline constexpr std::uint64_t kGenesisTime = 1'700'000'000'000;

/// A few thousand bytes of text, enough for a network.
inline chain::Bytes tiny_text() {
    std::string text;
    while (text.size() < 6000) {
        text += "the quick brown fox no. " + std::to_string(text.size() % 97) + " jumps over it. ";
    }
    const chain::ByteSpan bytes = chain::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

/// The smallest text network: one short step a unit; one unit in 2^win_bits wins.
inline chain::ChainSpec tiny_spec(unsigned win_bits = 2) {
    chain::ChainSpec spec =
        chain::default_chain_spec("tiny", tiny_text(), kGenesisTime, 0x207fffff);
    spec.model.rows = 32;
    spec.model.batch = 1;
    spec.model.steps_per_unit = 1;
    const chain::U256 work(chain::unit_work(chain::genesis_task(spec)));
    const chain::U256 target = chain::divide(chain::U256(1) << (256 - win_bits), work).quotient;
    spec.params.anchor.bits = chain::to_compact(target);
    spec.params.interval_ms = 1'000;
    spec.params.half_life_ms = std::uint64_t{1} << 40;  // difficulty stands still
    spec.params.work.hits_per_win = 2;
    spec.params.work.units_per_hit = 2;
    spec.params.maturity_blocks = 3;
    return spec;
}

inline std::shared_ptr<const chain::Network> tiny_network(unsigned win_bits = 2) {
    auto network = chain::make_network(tiny_spec(win_bits));
    CHECK(network);
    return *std::move(network);
}

/// Mines one block on a parent; `variant` makes siblings differ.
inline std::shared_ptr<const chain::Block> mine_on(
    const std::shared_ptr<const chain::ParentState>& parent, chain::Trainers& trainers,
    std::uint8_t miner = 7, std::uint32_t variant = 0, chain::TemplateContents contents = {}) {
    const chain::SecretKey key = tiny_key(miner);
    const std::uint64_t time_ms = parent->context().time_ms + 1'000;
    const auto work =
        chain::make_template(parent, std::move(contents), key.public_key(), time_ms, trainers);
    CHECK(work);
    model::Trainer& trainer = trainers.trainer_of(parent->task());
    for (std::uint32_t number = variant << 8U;; ++number) {
        chain::Lane lane = work->start_lane(number);
        while (!lane.full()) {
            const auto ticket = lane.step(trainer);
            CHECK(ticket);
            if (*ticket != chain::TicketClass::win) continue;
            auto segment = chain::build_segment(lane, key, trainer);
            CHECK(segment);
            return std::make_shared<const chain::Block>(work->assemble_block(*std::move(segment)));
        }
    }
}

}  // namespace gradient::test
