#pragma once

// A chain of headers behind which there is no work: every digest is drawn until its ticket wins.

#include "chain/base/check.hpp"
#include "chain/base/mmr.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/light/history_judge.hpp"
#include "chain/light/history_proofs.hpp"
#include "chain/light/light_network.hpp"
#include "tests/support/tiny_chain.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace gradient::test {

class ForgedChain {
  public:
    explicit ForgedChain(chain::LightNetwork network) : network_(std::move(network)) {
        take(network_.genesis);
    }

    /// Puts a header upon the last one. Its target, place and roots are what the rules ask for.
    void extend(std::uint64_t time_ms) {
        const chain::Header& parent = headers_.back();
        chain::Header header;
        header.tmpl.height = parent.tmpl.height + 1;
        header.tmpl.parent = id_;
        header.tmpl.time_ms = time_ms;
        header.tmpl.bits =
            chain::next_bits(network_.params, parent.tmpl.height, parent.tmpl.time_ms);
        header.tmpl.settle_root = chain::settle_root({});
        header.tmpl.transaction_root = kNoTransactions;
        header.tmpl.state_root = hash_of(0x77);
        header.tmpl.history_root = history_.root();
        header.tmpl.miner = miner_;
        header.units = 100;
        grind(header);
        take(header);
    }

    [[nodiscard]] const std::vector<chain::Header>& headers() const noexcept { return headers_; }
    [[nodiscard]] std::uint64_t height() const noexcept { return headers_.size() - 1; }
    [[nodiscard]] const chain::U256& work() const { return history_.peaks().back().work_after; }
    /// Cumulative work before a block.
    [[nodiscard]] const chain::U256& work_before(std::uint64_t height) const {
        return levels_[0][height].work_before;
    }
    /// Tickets drawn.
    [[nodiscard]] std::uint64_t tickets() const noexcept { return tickets_; }
    [[nodiscard]] const chain::LightNetwork& network() const noexcept { return network_; }

    [[nodiscard]] chain::HistoryClaim claim() const { return {height(), id_, work()}; }
    /// Good as long as the chain stands and grows no more.
    [[nodiscard]] chain::HistorySource source() const {
        return {[this](chain::MmrPosition at) -> std::optional<chain::MmrNode> {
                    if (at.level >= levels_.size() || at.index >= levels_[at.level].size()) {
                        return std::nullopt;
                    }
                    return levels_[at.level][at.index];
                },
                [this](std::uint64_t height) -> std::optional<chain::Header> {
                    if (height >= headers_.size()) return std::nullopt;
                    return headers_[height];
                }};
    }

  private:
    // A digest is 32 bytes of the forger's choice.
    void grind(chain::Header& header) {
        const auto target = chain::target_of(header.tmpl.bits, network_.params);
        const auto targets =
            chain::targets_for(*target, network_.task->unit_work, network_.params.work);
        do {
            ++tickets_;
            for (std::size_t i = 0; i < 8; ++i) {
                header.last_digest.bytes[i] = static_cast<std::uint8_t>(tickets_ >> (8 * i));
            }
        } while (targets.classify(header.last_digest) != chain::TicketClass::win);
    }
    void take(const chain::Header& header) {
        id_ = chain::header_id(header);
        const chain::U256 before = headers_.empty() ? chain::U256() : work();
        const auto after = chain::checked_add(before, chain::block_work(header.tmpl.bits));
        CHECK(after);
        const auto nodes =
            history_.append({id_, header.tmpl.height, header.tmpl.time_ms, before, *after});
        CHECK(nodes);
        for (const auto& placed : *nodes) {
            if (placed.position.level == levels_.size()) levels_.emplace_back();
            levels_[placed.position.level].push_back(placed.node);
        }
        headers_.push_back(header);
    }

    inline static const chain::Hash256 kNoTransactions = chain::transaction_root({});
    chain::LightNetwork network_;
    chain::PublicKey miner_ = tiny_key(9).public_key();
    std::vector<chain::Header> headers_;
    std::vector<std::vector<chain::MmrNode>> levels_;
    chain::MmrPeaks history_;
    chain::Hash256 id_;
    std::uint64_t tickets_ = 0;
};

}  // namespace gradient::test
