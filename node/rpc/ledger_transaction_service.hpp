#pragma once

#include "node/ledger/ledger_service.hpp"
#include "node/rpc/transaction_service.hpp"

namespace gradient::node {

/// The chain of a LedgerService, and a pool. `ledger` must outlive it.
class LedgerTransactionService final : public TransactionService {
  public:
    LedgerTransactionService(LedgerService& ledger, PoolAccess pool)
        : ledger_(ledger), pool_(std::move(pool)) {}

    Task<boost::json::value> on_strand(Query query) override;
    Task<bool> wait_for_height(std::uint64_t height, Event::Deadline deadline) override;
    Task<SubmitOutcome> submit(
        std::shared_ptr<const chain::SignedTransaction> transaction) override;

    [[nodiscard]] const chain::ConsensusParams& params() const override;
    [[nodiscard]] std::uint32_t network_id() const override;
    [[nodiscard]] chain::Hash256 genesis() const override;
    [[nodiscard]] std::uint64_t height() const override;
    [[nodiscard]] const chain::StateView& state() const override;
    [[nodiscard]] std::optional<chain::Header> header_at(std::uint64_t height) const override;
    [[nodiscard]] std::optional<chain::Block> block_at(std::uint64_t height) const override;
    [[nodiscard]] std::optional<std::uint64_t> height_of(
        const chain::Hash256& transaction) const override;
    [[nodiscard]] std::optional<chain::BlockStub> stub_at(std::uint64_t height) const override;
    [[nodiscard]] std::optional<ProvenEntry> prove(const chain::StateKey& key) const override;
    [[nodiscard]] std::optional<model::Evaluation> held_out(std::uint32_t task) const override;
    [[nodiscard]] std::vector<PooledTransaction> pooled_of(
        const chain::Address& sender) const override;
    [[nodiscard]] std::optional<PooledTransaction> pooled(const chain::Hash256& id) const override;
    [[nodiscard]] std::optional<GoneTransaction> gone(const chain::Hash256& id) const override;

  private:
    LedgerService& ledger_;
    PoolAccess pool_;
};

}  // namespace gradient::node
