#pragma once

// Nodes with real ledgers and pools that relay to one another in simulated time. Every message goes
// through its frame, so that its bytes are counted and its limits hold.

#include "chain/base/check.hpp"
#include "chain/ledger.hpp"
#include "chain/pool/mempool.hpp"
#include "chain/pool/share_pool.hpp"
#include "chain/transactions/accounts.hpp"
#include "node/sync/relay.hpp"
#include "tests/support/chain_store.hpp"
#include "tests/support/signed_transactions.hpp"
#include "tests/support/small_network.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::test {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers)

/// Puts a verified share into a pool.
template <class Pool>
auto pool_share(Pool& pool, const chain::VerifiedShare& share) {
    using Pooled = std::remove_const_t<typename Pool::Share::element_type>;
    if constexpr (std::is_same_v<Pooled, chain::VerifiedShare>) {
        return pool.add(std::make_shared<const chain::VerifiedShare>(share));
    } else {
        Pooled made;
        made.id = share.outcome.id;
        made.template_hash = share.outcome.template_hash;
        made.parent = share.segment->tmpl.parent;
        made.round = share.outcome.round;
        made.miner = share.outcome.miner;
        made.hits = share.outcome.hits;
        made.paid_units = share.outcome.paid_units;
        made.units = share.outcome.units;
        made.size_bytes = share.outcome.size_bytes;
        made.segment = share.segment;
        return pool.add(std::move(made));
    }
}

/// A node's ledger, pools and relay, and what has passed through it.
struct RelayNode {
    struct Traffic {
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;
    };

    std::unique_ptr<chain::Ledger> ledger;
    chain::Mempool mempool;
    chain::SharePool shares;
    std::unique_ptr<node::Relay> relay;
    std::vector<node::PeerId> peers;
    std::map<std::size_t, Traffic> sent;  // by the message's index
    std::vector<std::pair<node::PeerId, node::Offence>> reports;
    std::vector<node::AnnounceOutcome> announced;
    std::map<node::PeerId, std::uint64_t> received;  // bytes
    std::size_t judged_shares = 0;
    std::size_t judged_transactions = 0;
    std::size_t judged_blocks = 0;
    std::vector<chain::SubmitError> block_errors;

    template <class M>
    [[nodiscard]] Traffic sent_of() const {
        const auto found = sent.find(node::Message(M{}).index());
        return found == sent.end() ? Traffic{} : found->second;
    }
    [[nodiscard]] chain::Hash256 tip() const { return ledger->tip()->id(); }
};

/// Nodes, numbered from 0; a peer's id is its number, for everybody.
class RelayNetwork {
  public:
    using Time = node::SteadyTime;
    /// What becomes of a message on its way: it may be changed, or dropped (false).
    using Way = std::function<bool(std::size_t from, std::size_t to, node::Message&)>;

    explicit RelayNetwork(std::uint64_t seed, unsigned win_bits = 2)
        : network(small_network(win_bits)), random(seed) {}

    std::size_t add_node() {
        auto& made = *nodes_.emplace_back(std::make_unique<RelayNode>());
        made.ledger = open_ledger(network, std::make_shared<chain::MemoryStore>());
        const std::size_t number = nodes_.size() - 1;
        views_.push_back(std::make_unique<node::RelayView>(
            node::RelayView{*made.ledger, made.mempool, made.shares}));
        made.relay = std::make_unique<node::Relay>(*views_.back(), outlets_of(number));
        made.ledger->on_tip_change(
            [this, number](const chain::TipChange& change) { tip_changed(number, change); });
        return number;
    }
    void connect(std::size_t a, std::size_t b, std::chrono::milliseconds latency) {
        latency_[{a, b}] = latency_[{b, a}] = latency;
        join(a, b, work_of(b));
        join(b, a, work_of(a));
    }
    /// A peer that is nobody: messages to it are kept in `to_stranger`. `work`: what it claims.
    node::PeerId add_stranger(std::size_t at, const chain::U256& work = {}) {
        const std::size_t number = kFirstStranger + strangers_++;
        join(at, number, work);
        return node::PeerId{number};
    }
    void leave(std::size_t at, node::PeerId peer) {
        std::erase(nodes_[at]->peers, peer);
        nodes_[at]->relay->peer_left(peer, now_);
    }

    /// Lets all happen that is under way, ticks included, for so long.
    void run(std::chrono::milliseconds time) {
        const Time end = now_ + time;
        for (;;) {
            const auto next = events_.begin();
            if (next == events_.end() || next->first.first > end) break;
            now_ = next->first.first;
            const auto what = std::move(next->second);
            events_.erase(next);
            what();
        }
        now_ = end;
    }
    /// Ticks of all nodes from now on.
    void start_ticks() {
        for (std::size_t i = 0; i < nodes_.size(); ++i) tick(i);
    }

    RelayNode& operator[](std::size_t number) { return *nodes_[number]; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] std::uint64_t now_ms() const {
        const auto passed =
            std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
        return kGenesisTime + 1'000'000'000 + static_cast<std::uint64_t>(passed.count());
    }

    /// A block of these contents on a node's tip.
    node::SharedBlock mine(std::size_t at, chain::TemplateContents contents = {},
                           std::uint8_t miner = 7) {
        return mine_on(nodes_[at]->ledger->tip(), trainers, miner, ++variant_, std::move(contents));
    }
    /// A node finds a block.
    chain::Hash256 submit(std::size_t at, const node::SharedBlock& block) {
        const auto taken = nodes_[at]->ledger->submit_block(block, now_ms(), trainers);
        CHECK(taken);
        return chain::header_id(block->header);
    }
    /// The same blocks for all, before anything is relayed.
    void extend_all(int count) {
        for (int i = 0; i < count; ++i) {
            const auto block = mine(0);
            for (std::size_t n = 0; n < nodes_.size(); ++n) submit(n, block);
        }
        run(1s);
    }
    /// A share of the round that the tip ended.
    chain::VerifiedShare make_share(std::size_t at, std::uint8_t miner) {
        return mine_share(*nodes_[at]->ledger,
                          nodes_[at]->ledger->tip()->index().header.tmpl.parent, trainers, miner);
    }
    void put_share(std::size_t at, const chain::VerifiedShare& share) {
        CHECK(pool_share(nodes_[at]->shares, share));
        nodes_[at]->relay->item_accepted({node::ItemKind::share, share.outcome.id}, std::nullopt,
                                         now_);
    }
    /// A transfer of the miner's with this nonce.
    [[nodiscard]] node::SharedTransaction transfer(std::uint64_t nonce) {
        chain::SignedTransaction made;
        made.network_id = network->spec.network_id;
        made.sender = tiny_key(7).public_key();
        made.nonce = nonce;
        made.action = chain::Transfer{chain::address_of(tiny_key(9).public_key()),
                                      *chain::Amount::from_units(1)};
        made.fee = *chain::least_fee(made, network->params());
        sign(made, tiny_key(7), network->genesis.id);
        return std::make_shared<const chain::SignedTransaction>(std::move(made));
    }
    [[nodiscard]] std::uint64_t nonce_of_miner(std::size_t at) const {
        const auto account = chain::read_account(nodes_[at]->ledger->tip()->state(),
                                                 chain::address_of(tiny_key(7).public_key()));
        return account.value().nonce;
    }
    chain::Hash256 put_transaction(std::size_t at, const node::SharedTransaction& transaction) {
        const auto added = add_transaction(*nodes_[at], transaction);
        CHECK(added);
        nodes_[at]->relay->item_accepted({node::ItemKind::transaction, *added}, std::nullopt, now_);
        return *added;
    }

    [[nodiscard]] chain::U256 work_of(std::size_t at) const {
        return nodes_[at]->ledger->tip()->index().cumulative_work;
    }

    /// A message arrives now.
    void deliver(std::size_t to, node::PeerId from, node::Message message) {
        nodes_[to]->received[from] += node::encode_frame(message).size();
        node::Relay& relay = *nodes_[to]->relay;
        std::visit([&](auto& content) { take(*nodes_[to], relay, from, content); }, message);
    }

    std::shared_ptr<const chain::Network> network;
    std::mt19937_64 random;
    chain::OwnTrainers trainers;
    Way way = [](std::size_t, std::size_t, node::Message&) { return true; };
    std::map<node::PeerId, std::vector<node::Message>> to_stranger;
    /// What judging takes; a block's work is proved after a part of that if `cut_through`.
    std::chrono::milliseconds judging_time{20};
    bool cut_through = false;
    bool judge = true;  ///< otherwise nothing that is submitted is ever judged

  private:
    static constexpr std::size_t kFirstStranger = 1000;
    static constexpr std::size_t kBytesPerMillisecond = 10'000;

    void join(std::size_t at, std::size_t peer, const chain::U256& work) {
        nodes_[at]->peers.push_back(node::PeerId{peer});
        node::Hello hello;
        hello.tip.cumulative_work = work;
        nodes_[at]->relay->peer_joined(node::PeerId{peer}, hello);
    }
    void later(std::chrono::microseconds time, std::function<void()> what) {
        events_.emplace(std::pair{now_ + time, ++order_}, std::move(what));
    }
    void tick(std::size_t number) {
        nodes_[number]->relay->tick(now_);
        later(node::kRelayTick, [this, number] { tick(number); });
    }

    node::SyncOutlets outlets_of(std::size_t number) {
        node::SyncOutlets out;
        out.send = [this, number](node::PeerId to, node::Message message) {
            send(number, to, std::move(message));
        };
        out.report = [this, number](node::PeerId peer, const node::Offence& offence) {
            nodes_[number]->reports.emplace_back(peer, offence);
        };
        out.received_bytes = [this, number](node::PeerId peer) {
            return nodes_[number]->received[peer];
        };
        out.submit_block = [this, number](node::PeerId peer, node::SharedBlock block,
                                          const chain::U256&) {
            ++nodes_[number]->judged_blocks;
            if (!judge) return;
            if (cut_through) {
                later(judging_time / 4,
                      [this, number, block] { nodes_[number]->relay->block_proven(block); });
            }
            later(judging_time, [this, number, peer, block] { judge_block(number, peer, block); });
        };
        out.submit_share = [this, number](node::PeerId peer, node::SharedSegment segment) {
            ++nodes_[number]->judged_shares;
            if (!judge) return;
            later(judging_time,
                  [this, number, peer, segment] { judge_share(number, peer, segment); });
        };
        out.submit_transaction = [this, number](node::PeerId peer,
                                                node::SharedTransaction transaction) {
            ++nodes_[number]->judged_transactions;
            if (!judge) return;
            later(1ms, [this, number, peer, transaction] {
                const auto added = add_transaction(*nodes_[number], transaction);
                node::Verdict verdict;
                if (added) {
                    verdict = node::Accepted{*added};
                } else {
                    verdict = node::Refused{added.error()};
                }
                nodes_[number]->relay->transaction_judged(peer, chain::transaction_id(*transaction),
                                                          verdict, now_);
            });
        };
        return out;
    }

    void send(std::size_t from, node::PeerId to, node::Message message) {
        const auto frame = node::encode_frame(message);
        auto& traffic = nodes_[from]->sent[message.index()];
        ++traffic.messages;
        traffic.bytes += frame.size();
        const auto number = static_cast<std::size_t>(to);
        if (number >= kFirstStranger) {
            to_stranger[to].push_back(std::move(message));
            return;
        }
        if (!way(from, number, message)) return;
        const chain::Bytes changed = node::encode_frame(message);
        auto decoded = node::decode_payload(
            changed[4], chain::ByteSpan(changed).subspan(node::kFrameHeaderBytes));
        CHECK(decoded);
        const auto transfer = std::chrono::milliseconds(changed.size() / kBytesPerMillisecond);
        Time& free = link_free_[{from, number}];
        const Time arrival = std::max(free, now_ + latency_.at({from, number}) + transfer);
        free = arrival;
        events_.emplace(std::pair{arrival, ++order_},
                        [this, from, number, arrived = *std::move(decoded)]() mutable {
                            deliver(number, node::PeerId{from}, std::move(arrived));
                        });
    }

    void take(RelayNode& at, node::Relay& relay, node::PeerId from, auto& content) {
        using M = std::decay_t<decltype(content)>;
        if constexpr (std::is_same_v<M, node::Announce>) {
            at.announced.push_back(relay.on_announce(from, content, now_, now_ms()));
        } else if constexpr (std::is_same_v<M, node::GetOutline>) {
            relay.on_get_outline(from, content, now_);
        } else if constexpr (std::is_same_v<M, node::Outline>) {
            relay.on_outline(from, std::move(content), now_);
        } else if constexpr (std::is_same_v<M, node::GetParts>) {
            relay.on_get_parts(from, content, now_);
        } else if constexpr (std::is_same_v<M, node::Parts>) {
            relay.on_parts(from, std::move(content), now_);
        } else if constexpr (std::is_same_v<M, node::GetBlock>) {
            if (relay.on_get_block(from, content, now_) == node::Served::no) {
                serve_stored(at, from, content.id);
            }
        } else if constexpr (std::is_same_v<M, node::BlockMessage>) {
            static_cast<void>(relay.on_block(from, content));
        } else if constexpr (std::is_same_v<M, node::Inventory>) {
            relay.on_inventory(from, content, now_);
        } else if constexpr (std::is_same_v<M, node::GetItems>) {
            relay.on_get_items(from, content, now_);
        } else if constexpr (std::is_same_v<M, node::TransactionMessage>) {
            relay.on_transaction(from, std::move(content), now_);
        } else if constexpr (std::is_same_v<M, node::ShareMessage>) {
            relay.on_share(from, std::move(content), now_);
        } else if constexpr (std::is_same_v<M, node::NotFound>) {
            relay.on_not_found(from, content, now_);
        } else if constexpr (std::is_same_v<M, node::Ping>) {
            relay.on_claim(from, content.tip);
        }
    }

    // What a node's sync does.
    void serve_stored(RelayNode& at, node::PeerId peer, const chain::Hash256& id) {
        const std::size_t number = number_of(at);
        auto block = at.ledger->block(id).value();
        if (block) {
            send(number, peer, node::BlockMessage{*std::move(block)});
        } else {
            send(number, peer, node::NotFound{{{node::ItemKind::block, id}}});
        }
    }
    std::size_t number_of(const RelayNode& at) const {
        const auto is_it = [&](const auto& made) { return made.get() == &at; };
        return static_cast<std::size_t>(std::ranges::find_if(nodes_, is_it) - nodes_.begin());
    }

    void judge_block(std::size_t number, node::PeerId peer, const node::SharedBlock& block) {
        RelayNode& at = *nodes_[number];
        const auto result = at.ledger->submit_block(block, now_ms(), trainers);
        if (!result) at.block_errors.push_back(result.error());
        at.relay->block_judged(peer, chain::header_id(block->header), result, now_, now_ms());
    }
    void judge_share(std::size_t number, node::PeerId peer, const node::SharedSegment& segment) {
        RelayNode& at = *nodes_[number];
        node::Verdict verdict = node::Held{};
        if (segment->tmpl.parent != at.tip()) {
            const auto candidate = at.ledger->admit_share(segment);
            CHECK(candidate);
            const auto verified = chain::verify_share(*candidate, trainers);
            if (!verified) {
                verdict = node::Refused{verified.error()};
            } else if (const auto added = pool_share(at.shares, *verified); !added) {
                verdict = node::Refused{added.error()};
            } else {
                verdict = node::Accepted{verified->outcome.id};
            }
        }
        at.relay->share_judged(peer, segment, verdict, now_);
    }

    chain::TransactionContext context_of(const RelayNode& at) const {
        return {.params = network->params(),
                .genesis = network->genesis.id,
                .network_id = network->spec.network_id,
                .height = at.ledger->tip()->height() + 1,
                .parent = at.tip(),
                .tasks = nullptr,
                .trainers = nullptr};
    }
    chain::Result<chain::Hash256, chain::PoolError> add_transaction(
        RelayNode& at, const node::SharedTransaction& transaction) {
        const auto context = context_of(at);
        const auto checked = chain::check_transaction(transaction, context);
        if (!checked) return chain::fail(chain::PoolError(checked.error()));
        const auto added = at.mempool.add(*checked, at.ledger->tip()->state(), context, now_ms());
        if (!added) return chain::fail(added.error());
        return checked->id();
    }
    void tip_changed(std::size_t number, const chain::TipChange& change) {
        RelayNode& at = *nodes_[number];
        const auto block_of = [&](const chain::Hash256& id) { return **at.ledger->block(id); };
        std::vector<chain::UndoneBlock> undone;
        std::vector<chain::RedoneBlock> redone;
        chain::TransactionContext context = context_of(at);
        for (const auto& id : change.undone) {
            undone.push_back(chain::undone_block(block_of(id), context));
        }
        for (const auto& id : change.redone) redone.push_back(chain::redone_block(block_of(id)));
        CHECK(at.mempool.tip_changed(undone, redone, change.tip->state(), context, now_ms()));
        at.shares.tip_changed(change.tip->height() + 1);
        at.relay->tip_changed(change, now_, now_ms());
    }

    std::vector<std::unique_ptr<RelayNode>> nodes_;
    std::vector<std::unique_ptr<node::RelayView>> views_;
    std::map<std::pair<std::size_t, std::size_t>, std::chrono::milliseconds> latency_;
    std::map<std::pair<std::size_t, std::size_t>, Time> link_free_;
    std::map<std::pair<Time, std::uint64_t>, std::function<void()>> events_;
    std::uint64_t order_ = 0;
    std::uint32_t variant_ = 0;
    std::size_t strangers_ = 0;
    Time now_{};
};

/// Connects every node with its neighbour in a ring, and with `more` drawn ones.
inline void connect_at_random(RelayNetwork& network, std::size_t more) {
    const auto latency = [&] { return std::chrono::milliseconds(10 + network.random() % 60); };
    std::map<std::pair<std::size_t, std::size_t>, bool> made;
    const auto connect = [&](std::size_t a, std::size_t b) {
        if (a == b || !made.emplace(std::minmax(a, b), true).second) return;
        network.connect(a, b, latency());
    };
    for (std::size_t i = 0; i < network.size(); ++i) {
        connect(i, (i + 1) % network.size());
        for (std::size_t k = 0; k < more; ++k) connect(i, network.random() % network.size());
    }
}

}  // namespace gradient::test
