#include "node/rpc/ledger_transaction_service.hpp"

#include "node/setup/store_failure.hpp"

#include <boost/json/value.hpp>

#include <utility>

namespace gradient::node {

Task<boost::json::value> LedgerTransactionService::on_strand(Query query) {
    auto run = [its_query = std::move(query)](LedgerService&) { return its_query(); };
    co_return co_await ledger_.on_strand(std::move(run));
}

Task<bool> LedgerTransactionService::wait_for_height(std::uint64_t height,
                                                     Event::Deadline deadline) {
    co_return co_await ledger_.wait_for_height(height, false, deadline);
}

Task<SubmitOutcome> LedgerTransactionService::submit(
    std::shared_ptr<const chain::SignedTransaction> transaction) {
    if (!pool_.submit) {
        co_return SubmitOutcome{chain::transaction_id(*transaction), "no_pool",
                                "This node takes no transactions."};
    }
    co_return co_await pool_.submit(std::move(transaction));
}

const chain::ConsensusParams& LedgerTransactionService::params() const {
    return ledger_.network().params();
}

std::uint32_t LedgerTransactionService::network_id() const {
    return ledger_.network().spec.network_id;
}

chain::Hash256 LedgerTransactionService::genesis() const {
    return ledger_.network().genesis.id;
}

std::uint64_t LedgerTransactionService::height() const {
    return ledger_.tip()->height();
}

const chain::StateView& LedgerTransactionService::state() const {
    return ledger_.tip()->state();
}

std::optional<chain::Header> LedgerTransactionService::header_at(std::uint64_t height) const {
    const auto id = require(ledger_.ledger().id_at(height));
    const auto index = id ? require(ledger_.ledger().index(*id)) : std::nullopt;
    if (!index) return std::nullopt;
    return index->header;
}

std::optional<chain::Block> LedgerTransactionService::block_at(std::uint64_t height) const {
    if (height == 0) return std::nullopt;
    const auto id = require(ledger_.ledger().id_at(height));
    if (!id) return std::nullopt;
    return require(ledger_.ledger().block(*id));
}

std::optional<std::uint64_t> LedgerTransactionService::height_of(
    const chain::Hash256& transaction) const {
    return require(ledger_.ledger().transaction_height(transaction));
}

std::optional<chain::BlockStub> LedgerTransactionService::stub_at(std::uint64_t height) const {
    const auto id = require(ledger_.ledger().id_at(height));
    auto outline = id ? require(ledger_.ledger().outline(*id)) : std::nullopt;
    if (!outline) return std::nullopt;
    return std::move(outline->stub);
}

std::optional<ProvenEntry> LedgerTransactionService::prove(const chain::StateKey& key) const {
    const auto& tip = *ledger_.tip();
    if (tip.height() == 0) return std::nullopt;
    const auto parent = require(ledger_.ledger().state_after(tip.index().header.tmpl.parent));
    return ProvenEntry{tip.index().header, require(parent->state().get(key)),
                       require(parent->prove(key))};
}

std::optional<model::Evaluation> LedgerTransactionService::held_out(std::uint32_t task) const {
    if (task != chain::kGenesisTask) return std::nullopt;
    return ledger_.evaluator().score_of(*ledger_.tip());
}

std::vector<PooledTransaction> LedgerTransactionService::pooled_of(
    const chain::Address& sender) const {
    if (!pool_.of_sender) return {};
    return pool_.of_sender(sender);
}

std::optional<PooledTransaction> LedgerTransactionService::pooled(const chain::Hash256& id) const {
    if (!pool_.find) return std::nullopt;
    return pool_.find(id);
}

std::optional<GoneTransaction> LedgerTransactionService::gone(const chain::Hash256& id) const {
    if (!pool_.gone) return std::nullopt;
    return pool_.gone(id);
}

}  // namespace gradient::node
