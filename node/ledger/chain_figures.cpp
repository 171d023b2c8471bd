#include "node/ledger/chain_figures.hpp"

#include "chain/consensus/difficulty.hpp"
#include "chain/types/segment.hpp"
#include "chain/work/targets.hpp"

#include <algorithm>
#include <cmath>

namespace gradient::node {

TicketOdds odds_of(const chain::BlockIndex& block, const chain::Network& network) {
    const auto target = chain::target_of(block.header.tmpl.bits, network.params());
    if (!target) return {};
    const auto targets = chain::targets_for(*target, block.unit_work, network.params().work);
    const auto probability = [](const chain::U256& t) { return std::ldexp(t.to_double(), -256); };
    return {probability(targets.win), probability(targets.hit)};
}

std::optional<double> training_loss(const chain::Block& block, const chain::Network& network) {
    const auto& task = network.task->record;
    if (block.header.tmpl.task != task.id) return std::nullopt;
    double sum = 0;
    std::uint64_t units = 0;
    for (const auto& opening : block.winner.openings) {
        if (opening.unit < 2) continue;  // the state before unit 1 has no loss
        sum += static_cast<double>(opening.before.loss);
        ++units;
    }
    if (units == 0) return std::nullopt;
    const auto& shape = task.shape;
    const double rows = double{1} * shape.rows * shape.batch * shape.steps_per_unit;
    return std::ldexp(sum / static_cast<double>(units) / rows, -32);
}

void ChainFigures::count(const chain::BlockIndex& block, const chain::Network& network, int sign) {
    if (block.height() == 0) return;
    const auto change = [&](std::uint64_t& sum, std::uint64_t amount) {
        sum = sign > 0 ? sum + amount : sum - amount;
    };
    change(blocks_, 1);
    change(units_, block.header.units + block.share_units);
    change(hits_, block.hits + block.share_hits);
    change(segments_, 1U + block.shares);
    change(replayed_, block.replayed_units);
    change(shared_rounds_, block.header.tmpl.settle_root == chain::settle_root({}) ? 0 : 1);
    const auto odds = odds_of(block, network);
    if (odds.hit > 0) {
        units_from_hits_ += sign * static_cast<double>(block.hits + block.share_hits) / odds.hit;
    }
    if (odds.win > 0) units_from_wins_ += sign / odds.win;
}

std::optional<double> ChainFigures::useful_fraction() const noexcept {
    if (blocks_ == 0) return std::nullopt;
    return static_cast<double>(units_) / std::max(units_from_wins_, units_from_hits_);
}

std::optional<double> ChainFigures::useful_fraction_error() const noexcept {
    const auto fraction = useful_fraction();
    if (!fraction) return std::nullopt;
    return *fraction / std::sqrt(static_cast<double>(blocks_));
}

std::optional<double> ChainFigures::verification_ratio() const noexcept {
    if (units_ == 0) return std::nullopt;
    return static_cast<double>(replayed_) / static_cast<double>(units_);
}

std::optional<double> ChainFigures::progress_efficiency() const noexcept {
    if (blocks_ == 0 || shared_rounds_ > 0) return std::nullopt;
    return 1.0;
}

}  // namespace gradient::node
