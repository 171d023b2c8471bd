#pragma once

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"
#include "chain/base/mmr.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/ledger.hpp"
#include "node/sync/block_sync.hpp"
#include "node/sync/chain_server.hpp"
#include "tests/support/chain_store.hpp"
#include "tests/support/simulated_network.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::test {

using SharedBlock = std::shared_ptr<const chain::Block>;

/// The clock of every simulated node: far above all test chains' times.
inline std::uint64_t simulated_ms(const SimulatedNetwork& network) {
    const auto since =
        std::chrono::duration_cast<std::chrono::milliseconds>(network.now().time_since_epoch());
    return kGenesisTime + 1'000'000'000 + std::uint64_t(since.count());
}

/// Mines blocks on a block of a ledger that knows it, and has it know them too.
inline std::vector<SharedBlock> mine_blocks(chain::Ledger& ledger, const chain::Hash256& parent,
                                            std::size_t count, chain::Trainers& trainers,
                                            std::uint8_t miner = 7) {
    std::vector<SharedBlock> blocks;
    chain::Hash256 at = parent;
    for (std::size_t i = 0; i < count; ++i) {
        const SharedBlock block = mine_on(*ledger.state_after(at), trainers, miner);
        CHECK(ledger.submit_block(block, block->header.tmpl.time_ms, trainers));
        at = chain::header_id(block->header);
        blocks.push_back(block);
    }
    return blocks;
}

/// What a ledger's node claims.
inline node::TipClaim claim_of(const chain::Ledger& ledger) {
    return {ledger.tip()->height(), ledger.tip()->id(), ledger.tip()->index().cumulative_work};
}

/// A peer without a chain, that says what a test wants: hello with a claim, then whatever the
/// handler sends.
class ScriptedPeer {
  public:
    using Handler = std::function<void(node::PeerId, const node::Message&)>;

    ScriptedPeer(SimulatedNetwork& simulated, const chain::Network& network,
                 const node::TipClaim& claim, Handler handler = {})
        : simulated_(simulated), handler_(std::move(handler)) {
        node::Hello hello;
        hello.genesis = network.genesis.id;
        hello.tip = claim;
        index_ = simulated.add_node(
            {[this, hello](node::PeerId peer) { simulated_.send(peer, hello); }, nullptr,
             [this](node::PeerId peer, const node::Message& message) {
                 received.push_back(message);
                 if (handler_) handler_(peer, message);
             },
             nullptr});
    }
    ~ScriptedPeer() { simulated_.remove_node(index_); }
    ScriptedPeer(const ScriptedPeer&) = delete;
    ScriptedPeer& operator=(const ScriptedPeer&) = delete;

    [[nodiscard]] SimulatedNetwork::NodeIndex index() const { return index_; }
    template <class Type>
    [[nodiscard]] std::size_t count() const {
        return std::size_t(std::ranges::count_if(received, [](const node::Message& message) {
            return std::holds_alternative<Type>(message);
        }));
    }

    std::vector<node::Message> received;

  private:
    SimulatedNetwork& simulated_;
    Handler handler_;
    SimulatedNetwork::NodeIndex index_{};
};

/// Makes headers that pass every check for which headers are enough, with invented digests.
class HeaderForge {
  public:
    HeaderForge(const chain::Network& network, const chain::Hash256& parent,
                const chain::BlockIndex& index, std::uint32_t seed = 1)
        : network_(network),
          parent_(parent),
          last_(index.header),
          work_(index.cumulative_work),
          history_(index.history),
          seed_(seed) {}

    const chain::Header& next() {
        chain::Header header = last_;
        chain::Template& tmpl = header.tmpl;
        tmpl.parent = parent_;
        tmpl.height = last_.tmpl.height + 1;
        tmpl.time_ms = last_.tmpl.time_ms + 1'000;
        tmpl.bits = chain::next_bits(network_.params(), last_.tmpl.height, last_.tmpl.time_ms);
        tmpl.history_root = history_.root();
        tmpl.task = 0;
        tmpl.lane = seed_;
        header.units = 1;
        for (std::uint32_t guess = 0;; ++guess) {
            header.last_digest =
                chain::tagged_hash("forged", tmpl.parent, chain::ByteSpan(chain::encode(guess)));
            if (chain::check_claim(header, network_.task->unit_work, network_.params())) break;
        }
        const chain::U256 before = work_;
        work_ = chain::saturating_add(work_, chain::block_work(tmpl.bits));
        parent_ = chain::header_id(header);
        CHECK(history_.append({parent_, tmpl.height, tmpl.time_ms, before, work_}));
        last_ = header;
        return last_;
    }
    std::vector<chain::Header> next(std::size_t count) {
        std::vector<chain::Header> headers;
        while (headers.size() < count) headers.push_back(next());
        return headers;
    }
    [[nodiscard]] node::TipClaim claim() const { return {last_.tmpl.height, parent_, work_}; }

  private:
    const chain::Network& network_;
    chain::Hash256 parent_;
    chain::Header last_;
    chain::U256 work_;
    chain::MmrPeaks history_;
    std::uint32_t seed_;
};

/// A whole node as far as catching up goes: a ledger in memory, BlockSync and ChainServer, on a
/// simulated network. Whoever it holds anything against, it leaves.
class SyncNode {
  public:
    struct Report {
        node::PeerId peer{};
        node::Offence offence;
    };

    SyncNode(SimulatedNetwork& simulated, std::shared_ptr<const chain::Network> network,
             chain::Trainers& trainers, const node::SyncLimits& limits = {},
             const node::ServeLimits& serve_limits = {})
        : simulated_(simulated),
          trainers_(trainers),
          store_(std::make_shared<chain::MemoryStore>()),
          ledger_(open_ledger(network, store_)),
          sync_(*ledger_, outlets(), limits),
          server_(*ledger_, outlets(), serve_limits),
          index_(simulated.add_node({[this](node::PeerId peer) { greet(peer); },
                                     [this](node::PeerId peer) { left(peer); },
                                     [this](node::PeerId peer, node::Message message) {
                                         receive(peer, std::move(message));
                                     },
                                     [this] {
                                         sync_.tick(simulated_.now());
                                         server_.tick(simulated_.now());
                                     }})) {}
    ~SyncNode() { simulated_.remove_node(index_); }
    SyncNode(const SyncNode&) = delete;
    SyncNode& operator=(const SyncNode&) = delete;

    [[nodiscard]] SimulatedNetwork::NodeIndex index() const { return index_; }
    [[nodiscard]] chain::Ledger& ledger() { return *ledger_; }
    [[nodiscard]] node::BlockSync& sync() { return sync_; }
    [[nodiscard]] const node::ChainServer& server() const { return server_; }
    [[nodiscard]] node::SyncStatus status() const { return sync_.status(simulated_.now()); }
    template <class State>
    [[nodiscard]] bool is() const {
        return std::holds_alternative<State>(status().state);
    }
    [[nodiscard]] std::uint64_t height() const { return ledger_->tip()->height(); }
    [[nodiscard]] chain::Hash256 tip() const { return ledger_->tip()->id(); }

    /// Takes blocks as its own and announces the tip, if that changes.
    void take(std::span<const SharedBlock> blocks) {
        const chain::Hash256 before = tip();
        for (const SharedBlock& block : blocks) {
            const auto outcome =
                ledger_->submit_block(block, block->header.tmpl.time_ms, trainers_);
            CHECK(outcome || outcome.error() == chain::SubmitError(chain::LedgerError::duplicate));
        }
        tip_moved(before);
    }

    // ---- what has happened

    std::vector<Report> reports;
    bool parts_at_blame = true;  ///< whether a connection ends with the first report
    std::map<node::PeerId, std::size_t> blocks_from;
    std::map<chain::Hash256, std::size_t> times_received;
    std::size_t submissions = 0;
    std::size_t most_held_bytes = 0;
    /// How long judging a block takes.
    SimulatedNetwork::Duration judging_time = 5ms;
    /// Its clock, milliseconds since 1970.
    std::function<std::uint64_t()> clock_ms = [this] { return simulated_ms(simulated_); };
    /// What the next verdicts are, in place of the ledger's.
    std::vector<chain::SubmitError> failures;

    [[nodiscard]] bool has_reported(node::PeerId peer, const node::Offence& offence) const {
        return std::ranges::any_of(reports, [&](const Report& report) {
            return report.peer == peer && report.offence == offence;
        });
    }

  private:
    node::SyncOutlets outlets() {
        node::SyncOutlets outlets;
        outlets.send = [this](node::PeerId peer, node::Message message) {
            simulated_.send(peer, std::move(message));
        };
        outlets.queued_bytes = [this](node::PeerId peer) { return simulated_.queued_bytes(peer); };
        outlets.received_bytes = [this](node::PeerId peer) {
            return std::uint64_t{simulated_.received_bytes(peer)};
        };
        outlets.report = [this](node::PeerId peer, const node::Offence& offence) {
            reports.push_back({peer, offence});
            if (parts_at_blame) simulated_.disconnect(peer);
        };
        outlets.submit_block = [this](node::PeerId peer, SharedBlock block,
                                      const chain::U256& branch_work) {
            ++submissions;
            simulated_.after(index_, judging_time,
                             [this, peer, block = std::move(block), branch_work] {
                                 judge(peer, block, branch_work);
                             });
        };
        return outlets;
    }

    void greet(node::PeerId peer) {
        node::Hello hello;
        hello.genesis = ledger_->network().genesis.id;
        hello.tip = claim_of(*ledger_);
        simulated_.send(peer, hello);
    }

    void left(node::PeerId peer) {
        std::erase(peers_, peer);
        sync_.peer_left(peer, simulated_.now());
        server_.peer_left(peer);
    }

    void receive(node::PeerId peer, node::Message message) {
        const node::SteadyTime now = simulated_.now();
        if (const auto* hello = std::get_if<node::Hello>(&message)) {
            peers_.push_back(peer);
            server_.peer_joined(peer, now);
            sync_.peer_joined(peer, *hello, now);
        } else if (const auto* announce = std::get_if<node::Announce>(&message)) {
            sync_.on_announce(peer, *announce, now);
        } else if (const auto* headers = std::get_if<node::Headers>(&message)) {
            sync_.on_headers(peer, *headers, now, clock_ms());
        } else if (auto* block = std::get_if<node::BlockMessage>(&message)) {
            ++blocks_from[peer];
            ++times_received[chain::header_id(block->block.header)];
            sync_.on_block(peer, std::make_shared<const chain::Block>(std::move(block->block)),
                           now);
            most_held_bytes = std::max(most_held_bytes, status().bytes_held);
        } else if (const auto* missing = std::get_if<node::NotFound>(&message)) {
            sync_.on_not_found(peer, *missing, now);
        } else if (const auto* get_headers = std::get_if<node::GetHeaders>(&message)) {
            server_.on_get_headers(peer, *get_headers, now);
        } else if (const auto* get_block = std::get_if<node::GetBlock>(&message)) {
            server_.on_get_block(peer, *get_block, now);
        }
    }

    void judge(node::PeerId peer, const SharedBlock& block, const chain::U256& branch_work) {
        const chain::Hash256 before = tip();
        const auto result = verdict(block, branch_work);
        sync_.block_judged(peer, chain::header_id(block->header), result, simulated_.now());
        tip_moved(before);
    }

    chain::Result<chain::CommitOutcome, chain::SubmitError> verdict(
        const SharedBlock& block, const chain::U256& branch_work) {
        if (!failures.empty()) {
            const chain::SubmitError failure = failures.front();
            failures.erase(failures.begin());
            return chain::fail(failure);
        }
        const auto candidate = ledger_->admit(block, clock_ms(), branch_work);
        if (!candidate) return chain::fail(candidate.error());
        const auto verified = chain::verify_candidate(*candidate, trainers_);
        if (!verified) {
            ledger_->condemn(candidate->id(), verified.error());
            return chain::fail(verified.error());
        }
        return ledger_->commit(*verified);
    }

    void tip_moved(const chain::Hash256& before) {
        if (tip() == before) return;
        sync_.tip_changed(simulated_.now());
        const chain::BlockIndex& index = ledger_->tip()->index();
        for (const node::PeerId peer : peers_) {
            simulated_.send(peer, node::Announce{index.header, index.cumulative_work});
        }
    }

    SimulatedNetwork& simulated_;
    chain::Trainers& trainers_;
    StorePtr store_;
    std::unique_ptr<chain::Ledger> ledger_;
    node::BlockSync sync_;
    node::ChainServer server_;
    SimulatedNetwork::NodeIndex index_;
    std::vector<node::PeerId> peers_;
};

}  // namespace gradient::test
