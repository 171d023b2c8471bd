#pragma once

#include "chain/base/check.hpp"
#include "chain/ledger.hpp"
#include "chain/storage/memory_store.hpp"
#include "tests/support/shared_store.hpp"
#include "tests/support/test_network.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace gradient::test {

/// A store that outlives the ledgers opened on it.
using StorePtr = std::shared_ptr<chain::MemoryStore>;

inline std::unique_ptr<chain::Ledger> open_ledger(
    const std::shared_ptr<const chain::Network>& network, const StorePtr& store) {
    auto ledger = chain::Ledger::open(network, std::make_unique<SharedStore>(store));
    CHECK(ledger);
    return *std::move(ledger);
}

/// A store with the same records.
inline StorePtr copy_of(const chain::KeyValueView& store) {
    auto copy = std::make_shared<chain::MemoryStore>();
    chain::WriteBatch batch;
    CHECK(store.scan({}, [&](chain::ByteSpan key, chain::ByteSpan value) {
        batch.put({key.begin(), key.end()}, {value.begin(), value.end()});
        return true;
    }));
    CHECK(copy->write(batch, chain::Durability::synced));
    return copy;
}

/// Mines a block on a stored one and submits it.
inline chain::Result<chain::Hash256, chain::SubmitError> grow(
    chain::Ledger& ledger, const chain::Hash256& parent, chain::Trainers& trainers,
    std::uint8_t miner = 7, chain::TemplateContents contents = {}) {
    const auto block =
        mine_on(*ledger.state_after(parent), trainers, miner, 0, std::move(contents));
    const auto outcome = ledger.submit_block(block, block->header.tmpl.time_ms, trainers);
    if (!outcome) return chain::fail(outcome.error());
    return chain::header_id(block->header);
}

/// A segment of another miner's lane on a block that hits but does not win, as a proven share.
inline chain::VerifiedShare mine_share(chain::Ledger& ledger, const chain::Hash256& parent,
                                       chain::Trainers& trainers, std::uint8_t miner) {
    const auto state = *ledger.state_after(parent);
    const chain::SecretKey key = tiny_key(miner);
    const auto work =
        chain::make_template(state, {}, key.public_key(), state->context().time_ms + 500, trainers);
    CHECK(work);
    model::Trainer& trainer = trainers.trainer_of(state->task());
    for (std::uint32_t number = 1000;; ++number) {
        chain::Lane lane = work->start_lane(number);
        for (;;) {
            const auto ticket = lane.step(trainer);
            CHECK(ticket);
            if (*ticket == chain::TicketClass::win || lane.full()) break;
            if (*ticket != chain::TicketClass::hit) continue;
            auto segment = chain::build_segment(lane, key, trainer);
            CHECK(segment);
            const auto candidate = ledger.admit_share(
                std::make_shared<const chain::Segment>(std::move(segment->segment)));
            CHECK(candidate);
            auto verified = chain::verify_share(*candidate, trainers);
            CHECK(verified);
            return *std::move(verified);
        }
    }
}

}  // namespace gradient::test
