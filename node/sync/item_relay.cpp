#include "node/sync/item_relay.hpp"

#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/transition/rounds.hpp"
#include "node/sync/item_refusal.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace gradient::node {

namespace {

Offence share_offence(chain::SegmentError error) {
    return chain::SubmitError(chain::RuleError(error));
}

// What a share's bytes show without any state.
chain::Result<void, chain::SegmentError> check_bytes(const chain::Segment& segment,
                                                     std::size_t bytes,
                                                     const chain::ConsensusParams& params) {
    if (bytes > params.work.max_segment_bytes) return chain::fail(chain::SegmentError::too_large);
    TRY(chain::check_segment_form(segment.body, params.work));
    if (chain::settle_root(segment.listed) != segment.tmpl.settle_root) {
        return chain::fail(chain::SegmentError::wrong_list);
    }
    return {};
}

// The rules of a share's template on its own branch, whichever that is, if its parent is known: no
// tip excuses breaking them.
using KnownParent = chain::Result<std::optional<chain::BlockIndex>, chain::StoreError>;
chain::Result<void, chain::SegmentError> check_template(const chain::Template& tmpl,
                                                        const KnownParent& known,
                                                        const chain::ConsensusParams& params) {
    if (!known || !*known) return {};
    const chain::BlockIndex& parent = **known;
    chain::Round round;
    round.parent = tmpl.parent;
    round.parent_time_ms = parent.header.tmpl.time_ms;
    round.bits = chain::next_bits(params, parent.height(), round.parent_time_ms);
    round.task = parent.child_task;
    round.state_root = parent.state_root;
    round.history_root = parent.history.root();
    return chain::check_share_template(tmpl, parent.height() + 1, round);
}

}  // namespace

ItemRelay::ItemRelay(const RelayView& view, const SyncOutlets& outlets, RelayFigures& figures)
    : view_(view),
      outlets_(outlets),
      figures_(figures),
      announcer_(view, outlets, figures),
      fetcher_(outlets, figures, view.ledger.network().params().work.max_segment_bytes),
      horizon_(horizon()) {}

void ItemRelay::peer_joined(PeerId peer, const chain::U256& work) {
    peers_.try_emplace(peer);
    announcer_.peer_joined(peer);
    fetcher_.peer_joined(peer);
    claimed(peer, work);
}

void ItemRelay::claimed(PeerId peer, const chain::U256& work) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    found->second.work = work;
    if (work >= horizon_) found->second.was_ahead = true;
    if (work >= view_.ledger.work_floor()) announcer_.tell_pools(peer);
}

void ItemRelay::peer_left(PeerId peer, SteadyTime now) {
    peers_.erase(peer);
    announcer_.peer_left(peer);
    fetcher_.peer_left(peer);
    figures_.orphans_dropped += orphans_.peer_left(peer);
    ask_all(now);
}

void ItemRelay::item_accepted(const ItemId& item, std::optional<PeerId> from, SteadyTime now) {
    if (from) announcer_.mark_known(*from, item.id);
    fetcher_.done(item.id);
    announcer_.announce(item, now);
}

// ---- messages

bool ItemRelay::has(const ItemId& item) const {
    if (refused_.contains(item.id) || refused_on_tip_.contains(item.id)) return true;
    if (included_.contains(item.id)) return true;
    if (item.kind == ItemKind::transaction) return view_.mempool.contains(item.id);
    const auto tries = tries_.find(fingerprint(item.id));
    return view_.shares.find(item.id) || (tries != tries_.end() && tries->second >= kMaxTries);
}

void ItemRelay::on_inventory(PeerId peer, const Inventory& message, SteadyTime now) {
    if (!peers_.contains(peer)) return;
    for (const ItemId& item : message.items) {
        if (item.kind == ItemKind::block) {
            outlets_.report(peer, chain::CodecError::bad_value);
            return;
        }
        ++figures_.items_offered;
        announcer_.mark_known(peer, item.id);
        if (!has(item)) fetcher_.offer(peer, item);
    }
    ask(peer, now);
}

void ItemRelay::on_get_items(PeerId peer, const GetItems& message, SteadyTime now) {
    announcer_.serve(peer, message, now);
}

void ItemRelay::on_transaction(PeerId peer, TransactionMessage message, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    const chain::Hash256 id = chain::transaction_id(message.transaction);
    const auto answer = fetcher_.take_transaction(peer, id);
    if (answer != ItemFetcher::Answer::asked) {
        const bool wrong = answer == ItemFetcher::Answer::another_asked;
        outlets_.report(peer, wrong ? ProtocolOffence::wrong_answer : ProtocolOffence::unsolicited);
        ask_all(now);
        return;
    }
    announcer_.mark_known(peer, id);
    if (!fetcher_.wants(id) || !transactions_.emplace(id, peer).second) {
        ++figures_.duplicates_received;
    } else {
        ++found->second.transactions;
        outlets_.submit_transaction(
            peer, std::make_shared<const chain::SignedTransaction>(std::move(message.transaction)));
    }
    ask(peer, now);
}

void ItemRelay::on_share(PeerId peer, ShareMessage message, SteadyTime now) {
    if (!peers_.contains(peer)) return;
    const auto asked = fetcher_.take_share(peer);
    if (!asked) {
        outlets_.report(peer, ProtocolOffence::unsolicited);
        return;
    }
    JudgedShare share{std::make_shared<const chain::Segment>(std::move(message.segment)), peer,
                      *asked, 0};
    share.bytes = chain::encoded_size(*share.segment);
    if (!fetcher_.wants(*asked)) {
        ++figures_.duplicates_received;
        return ask(peer, now);
    }
    const chain::Template& tmpl = share.segment->tmpl;
    const auto& params = view_.ledger.network().params();
    const auto parent = view_.ledger.index(tmpl.parent);
    const auto form = check_bytes(*share.segment, share.bytes, params);
    if (!form) {
        blame_for_share(*asked, peer, share_offence(form.error()));
    } else if (const auto fits = check_template(tmpl, parent, params); !fits) {
        blame_for_share(*asked, peer, share_offence(fits.error()));
    } else if (const auto pooled = view_.shares.find_lane(chain::template_hash(tmpl));
               pooled && pooled->segment->body.digests == share.segment->body.digests) {
        // Here already, and not by the id that was asked for.
        outlets_.report(peer, ProtocolOffence::wrong_answer);
        fetcher_.failed(peer, *asked);
    } else if (parent && *parent) {
        submit_share(std::move(share));
    } else {
        keep_orphan(share, now);
    }
    ask_all(now);
}

void ItemRelay::on_not_found(PeerId peer, const NotFound& message, SteadyTime now) {
    fetcher_.take_not_found(peer, message);
    ask_all(now);
}

// ---- judgement

void ItemRelay::submit_share(JudgedShare share) {
    const auto found = peers_.find(share.peer);
    if (found != peers_.end()) {
        ++found->second.shares;
        found->second.share_bytes += share.bytes;
    }
    share_bytes_ += share.bytes;
    outlets_.submit_share(share.peer, share.segment);
    const chain::Segment* const key = share.segment.get();
    shares_.emplace(key, std::move(share));
}

void ItemRelay::keep_orphan(const JudgedShare& share, SteadyTime now) {
    ++figures_.orphans_taken;
    figures_.orphans_dropped +=
        orphans_.add({share.peer, share.asked, share.segment, share.bytes, now, tip_number_});
    park(share, now);
}

// The share is kept, and what it is will show. Until then it may be another than was asked for, so
// after a while other copies are asked for, but not from everybody.
void ItemRelay::park(const JudgedShare& share, SteadyTime now) {
    if (is_last_try(share.asked)) {
        fetcher_.done(share.asked);
    } else {
        fetcher_.park(share.peer, share.asked, now);
    }
}

bool ItemRelay::is_last_try(const chain::Hash256& share) {
    if (tries_.size() >= kMaxTried) return true;
    return ++tries_[fingerprint(share)] >= kMaxTries;
}

void ItemRelay::not_on_this_tip(const chain::Hash256& asked, PeerId peer) {
    if (is_last_try(asked)) {
        fetcher_.done(asked);
    } else {
        fetcher_.failed(peer, asked);
    }
}

void ItemRelay::blame_for_share(const chain::Hash256& asked, PeerId peer, const Offence& offence) {
    fetcher_.failed(peer, asked);
    outlets_.report(peer, offence);
    const auto found = peers_.find(peer);
    if (found != peers_.end()) found->second.share_turns /= 2;
}

void ItemRelay::refuse_transaction(const chain::Hash256& id, PeerId peer, const Offence& offence) {
    const auto* error = std::get_if<chain::PoolError>(&offence);
    const bool for_good = error && is_never_good(*error);
    (for_good ? refused_ : refused_on_tip_).insert(id);
    fetcher_.done(id);
    if (for_good) outlets_.report(peer, offence);
}

void ItemRelay::transaction_judged(PeerId peer, const chain::Hash256& id, const Verdict& verdict,
                                   SteadyTime now) {
    const auto judged = transactions_.find(id);
    if (judged != transactions_.end()) {
        const auto found = peers_.find(judged->second);
        if (found != peers_.end()) --found->second.transactions;
        transactions_.erase(judged);
    }
    const ItemId item{ItemKind::transaction, id};
    if (const auto* refused = std::get_if<Refused>(&verdict)) {
        refuse_transaction(id, peer, refused->offence);
    } else {
        item_accepted(item, peer, now);
    }
    ask_all(now);
}

void ItemRelay::share_judged(PeerId peer, const SharedSegment& segment, const Verdict& verdict,
                             SteadyTime now) {
    const auto judged = shares_.find(segment.get());
    if (judged == shares_.end()) return;
    const JudgedShare share = std::move(judged->second);
    shares_.erase(judged);
    share_bytes_ -= share.bytes;
    const auto found = peers_.find(peer);
    if (found != peers_.end()) {
        --found->second.shares;
        found->second.share_bytes -= share.bytes;
    }
    if (const auto* accepted = std::get_if<Accepted>(&verdict)) {
        if (found != peers_.end()) {
            found->second.share_turns =
                std::min(found->second.share_turns + 1, kMaxSharesInJudgement);
        }
        share_accepted(share, accepted->id, now);
    } else if (const auto* refused = std::get_if<Refused>(&verdict)) {
        if (is_never_good_share(refused->offence)) {
            blame_for_share(share.asked, peer, refused->offence);
        } else {
            not_on_this_tip(share.asked, peer);
        }
        if (found != peers_.end()) found->second.rests_until = now + kShareRest;
    } else {
        park(share, now);
    }
    ask_all(now);
}

void ItemRelay::share_accepted(const JudgedShare& share, const chain::Hash256& id, SteadyTime now) {
    if (id != share.asked) {
        outlets_.report(share.peer, ProtocolOffence::wrong_answer);
        fetcher_.failed(share.peer, share.asked);
    }
    item_accepted({ItemKind::share, id}, share.peer, now);
}

// ---- asking

chain::U256 ItemRelay::horizon() const {
    const chain::BlockIndex& tip = view_.ledger.tip()->index();
    const chain::U256 work = chain::block_work(tip.header.tmpl.bits);
    return chain::saturating_add(tip.cumulative_work, chain::saturating_mul(work, kBlocksAhead));
}

// Whoever was ahead of this node and is no more is told so, by a ping: it has not told what its
// pools hold if it has seen this node far behind.
void ItemRelay::see_peers() {
    horizon_ = horizon();
    const auto& tip = view_.ledger.tip();
    for (auto& [id, peer] : peers_) {
        if (!peer.was_ahead || peer.work >= horizon_) continue;
        peer.was_ahead = false;
        outlets_.send(id, Ping{0, {tip->height(), tip->id(), tip->index().cumulative_work}});
    }
}

ItemFetcher::Allowance ItemRelay::allowance(Peer& peer, SteadyTime now) const {
    if (peer.work >= horizon_) return {};
    if (peer.share_turns == 0 && peer.rests_until <= now) peer.share_turns = 1;
    ItemFetcher::Allowance left;
    left.transactions =
        kMaxTransactionsInJudgement - std::min(kMaxTransactionsInJudgement, peer.transactions);
    const bool full = peer.share_bytes >= kMaxShareBytesInJudgement ||
                      share_bytes_ >= kMaxAllShareBytesInJudgement ||
                      shares_.size() >= kMaxAllSharesInJudgement;
    if (!full) left.shares = peer.share_turns - std::min(peer.share_turns, peer.shares);
    return left;
}

void ItemRelay::ask(PeerId peer, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found != peers_.end()) fetcher_.ask(peer, allowance(found->second, now), now);
}

void ItemRelay::ask_all(SteadyTime now) {
    for (auto& [id, peer] : peers_) fetcher_.ask(id, allowance(peer, now), now);
}

// ---- tips and time

void ItemRelay::tip_changed(const chain::TipChange& change, SteadyTime now) {
    ++tip_number_;
    refused_on_tip_.clear();
    tries_.clear();
    settle_included(change);
    see_peers();
    release_orphans(now);
    ask_all(now);
}

// What the chain includes now is wanted no more, and shares that wait for their parents need not.
void ItemRelay::settle_included(const chain::TipChange& change) {
    if (!change.undone.empty()) included_.clear();
    for (const chain::Hash256& block : change.redone) {
        const bool is_tip = block == change.redone.back();
        for (const chain::Hash256& id : included_in(block, is_tip ? change.block : nullptr)) {
            included_.insert(id);
            fetcher_.done(id);
        }
    }
    static_cast<void>(orphans_.take_if(
        [this](const OrphanShare& orphan) { return included_.contains(orphan.id); }));
}

// `whole`: the block, if it is at hand. The ids of shares are a record of their own: they can't be
// told from a block's bytes.
std::vector<chain::Hash256> ItemRelay::included_in(const chain::Hash256& block,
                                                   const SharedBlock& whole) const {
    const auto shares = chain::BlockReader(view_.ledger.store()).included(block);
    if (!shares) return {};
    std::vector<chain::Hash256> ids = shares->listed;
    ids.insert(ids.end(), shares->late.begin(), shares->late.end());
    std::optional<chain::Block> read;
    if (!whole) {
        auto stored = view_.ledger.block(block);
        if (stored) read = *std::move(stored);
    }
    if (!whole && !read) return ids;
    for (const auto& made : chain::redone_block(whole ? *whole : *read).transactions) {
        ids.push_back(made.id);
    }
    return ids;
}

void ItemRelay::tick(SteadyTime now) {
    announcer_.tick(now);
    fetcher_.tick(now);
    figures_.orphans_dropped += orphans_.expire(now);
    release_orphans(now);
    ask_all(now);
}

// Those that may be judged now go to judgement, as far as their peers have turns.
void ItemRelay::release_orphans(SteadyTime now) {
    std::map<PeerId, std::size_t> left;
    for (auto& [id, peer] : peers_) left[id] = allowance(peer, now).shares;
    const auto ready = orphans_.take_if([&](OrphanShare& orphan) {
        if (orphan.tried_on == tip_number_ || left[orphan.peer] == 0) return false;
        orphan.tried_on = tip_number_;
        const auto parent = view_.ledger.index(orphan.segment->tmpl.parent);
        if (!parent || !*parent) return false;
        --left[orphan.peer];
        return true;
    });
    const auto& params = view_.ledger.network().params();
    for (const OrphanShare& orphan : ready) {
        const auto parent = view_.ledger.index(orphan.segment->tmpl.parent);
        const auto good = check_template(orphan.segment->tmpl, parent, params);
        if (!good) {
            blame_for_share(orphan.id, orphan.peer, share_offence(good.error()));
            continue;
        }
        submit_share({orphan.segment, orphan.peer, orphan.id, orphan.bytes});
    }
}

}  // namespace gradient::node
