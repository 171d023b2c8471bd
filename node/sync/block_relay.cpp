#include "node/sync/block_relay.hpp"

#include "chain/base/codec.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/parent_state.hpp"

#include <algorithm>
#include <utility>

namespace gradient::node {

void BlockRelay::peer_joined(PeerId peer, const chain::U256& work) {
    peers_[peer].work = work;
    server_.peer_joined(peer);
}

void BlockRelay::peer_left(PeerId peer, SteadyTime now) {
    server_.peer_left(peer);
    if (peers_.erase(peer) == 0) return;
    for (auto place = fetches_.begin(); place != fetches_.end();) {
        const auto here = place++;
        std::erase(here->second.sources, peer);
        if (!is_pending({here->second.stage, here->first})) ask_next(here, now);
    }
}

// ---- announcements

AnnounceOutcome BlockRelay::on_announce(PeerId peer, const Announce& message, SteadyTime now,
                                        std::uint64_t now_ms) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return AnnounceOutcome::ignored;
    ++figures_.announcements_received;
    const chain::Hash256 id = chain::header_id(message.header);
    found->second.known.insert(id);
    found->second.work = std::max(found->second.work, message.cumulative_work);
    const auto outcome = consider(peer, message, id, now, now_ms);
    if (outcome == AnnounceOutcome::ignored) ++figures_.announcements_ignored;
    return outcome;
}

AnnounceOutcome BlockRelay::consider(PeerId peer, const Announce& message, const chain::Hash256& id,
                                     SteadyTime now, std::uint64_t now_ms) {
    const auto known = view_.ledger.index(id);
    if (!known) return AnnounceOutcome::ignored;
    if (*known) return AnnounceOutcome::known;
    if (refused_.contains(id)) return AnnounceOutcome::refused;
    if (const auto fetch = fetches_.find(id); fetch != fetches_.end()) {
        add_source(fetch, peer, now);
        return AnnounceOutcome::fetching;
    }
    const auto parent = view_.ledger.index(message.header.tmpl.parent);
    if (!parent) return AnnounceOutcome::ignored;
    const auto outcome = *parent ? judge_header(peer, message, id, **parent, now, now_ms)
                                 : without_parent(peer, message);
    if (outcome == AnnounceOutcome::fetching) start_fetch(id, message.header, peer, now);
    return outcome;
}

AnnounceOutcome BlockRelay::judge_header(PeerId peer, const Announce& message,
                                         const chain::Hash256& id, const chain::BlockIndex& parent,
                                         SteadyTime now, std::uint64_t now_ms) {
    const chain::Header& header = message.header;
    const auto context = chain::make_parent_context(header.tmpl.parent, parent);
    const auto checked =
        chain::validate_header(header, context, view_.ledger.network().params(), now_ms);
    if (!checked) {
        if (chain::blame(checked.error()) == chain::Consequence::not_yet) {
            return AnnounceOutcome::ignored;
        }
        refused_.insert(id);
        outlets_.report(peer, chain::SubmitError(chain::RuleError(checked.error())));
        return AnnounceOutcome::refused;
    }
    const chain::U256 work = chain::saturating_add(parent.cumulative_work, checked->work());
    if (work != message.cumulative_work) {
        outlets_.report(peer, ProtocolOffence::false_claim);
        return AnnounceOutcome::refused;
    }
    if (work <= view_.ledger.work_floor() || !make_room(peer, now)) return AnnounceOutcome::ignored;
    return AnnounceOutcome::fetching;
}

AnnounceOutcome BlockRelay::without_parent(PeerId peer, const Announce& message) {
    if (message.cumulative_work <= view_.ledger.work_floor()) return AnnounceOutcome::ignored;
    auto& waiting = peers_.at(peer).waiting;
    if (!fetches_.contains(message.header.tmpl.parent)) return AnnounceOutcome::headers_needed;
    if (waiting.size() >= kMaxWaiting) waiting.erase(waiting.begin());
    waiting.push_back(message);
    return AnnounceOutcome::waiting;
}

// A header costs nothing to invent, so whoever has the most fetches makes room for those with none,
// and what is late for everybody.
bool BlockRelay::make_room(PeerId peer, SteadyTime now) {
    std::map<PeerId, std::size_t> counts;
    for (const auto& [id, fetch] : fetches_) ++counts[fetch.announcer];
    if (counts[peer] >= kMaxPeerFetches) return false;
    if (fetches_.size() < kMaxFetches) return true;
    const auto place = std::ranges::find_if(fetches_, [&](const auto& item) {
        const Fetch& fetch = item.second;
        return fetch.stage != Stage::judgement &&
               (counts[fetch.announcer] > counts[peer] + 1 || now >= fetch.deadline);
    });
    if (place == fetches_.end()) return false;
    fetches_.erase(place);
    return true;
}

// A peer with more work than that has no use for it.
void BlockRelay::tell(const chain::Header& header, const chain::U256& work) {
    const chain::Hash256 id = chain::header_id(header);
    for (auto& [peer, state] : peers_) {
        if (work < state.work || !state.known.insert(id)) continue;
        ++figures_.blocks_announced;
        outlets_.send(peer, Announce{header, work});
    }
}

// ---- fetching

void BlockRelay::add_source(FetchPlace place, PeerId peer, SteadyTime now) {
    Fetch& fetch = place->second;
    if (fetch.stage == Stage::judgement || owes(peers_.at(peer), {fetch.stage, place->first}) ||
        std::ranges::find(fetch.sources, peer) != fetch.sources.end()) {
        return;
    }
    fetch.sources.push_back(peer);
    if (now >= fetch.deadline) ask_another(place, now);
}

void BlockRelay::start_fetch(const chain::Hash256& id, const chain::Header& header, PeerId peer,
                             SteadyTime now) {
    Fetch fetch;
    fetch.header = header;
    fetch.announcer = peer;
    fetch.sources.push_back(peer);
    fetch.end = now + kFetchTimeout;
    ask_next(fetches_.emplace(id, std::move(fetch)).first, now);
}

std::optional<PeerId> BlockRelay::take_source(Fetch& fetch) {
    while (!fetch.sources.empty()) {
        const PeerId next = fetch.sources.front();
        fetch.sources.erase(fetch.sources.begin());
        const auto peer = peers_.find(next);
        if (peer != peers_.end() && peer->second.requests.size() < kMaxRequests) return next;
    }
    return std::nullopt;
}

bool BlockRelay::owes(const Peer& peer, const Request& request) {
    return std::ranges::find(peer.requests, request) != peer.requests.end();
}

// Whether somebody may still bring it.
bool BlockRelay::is_pending(const Request& request) const {
    return request.kind == Stage::judgement || std::ranges::any_of(peers_, [&](const auto& item) {
               return owes(item.second, request);
           });
}

// From the start, with the next peer that has the block; without one, and with nobody who may still
// answer, it is given up: whoever announces it next, or the sync, brings it.
void BlockRelay::ask_next(FetchPlace place, SteadyTime now) {
    Fetch& fetch = place->second;
    fetch.assembly.reset();
    fetch.included.reset();
    fetch.is_mixed = false;
    fetch.from.reset();
    enter(place, Stage::outline);
    if (const auto next = take_source(fetch)) {
        ask(place, *next, now);
    } else if (!is_pending({Stage::outline, place->first})) {
        fetches_.erase(place);
    }
}

// The same of one more peer, beside those that are late with it.
void BlockRelay::ask_another(FetchPlace place, SteadyTime now) {
    const auto next = take_source(place->second);
    if (!next) return;
    place->second.wait *= 2;
    ask(place, *next, now);
}

void BlockRelay::enter(FetchPlace place, Stage stage) {
    const auto transfer = std::chrono::milliseconds(
        1000 * std::size_t{view_.ledger.network().params().max_block_bytes} / kMinBytesPerSecond);
    place->second.stage = stage;
    place->second.wait = stage == Stage::outline ? kOutlineTimeout : kPartsTimeout + transfer;
}

// Asks a peer for what the fetch is at.
void BlockRelay::ask(FetchPlace place, PeerId peer, SteadyTime now) {
    Fetch& fetch = place->second;
    Peer& its = peers_.at(peer);
    its.requests.push_back({fetch.stage, place->first});
    fetch.deadline = its.is_late ? now : now + fetch.wait;
    switch (fetch.stage) {
        case Stage::outline:
            return outlets_.send(peer, GetOutline{place->first});
        case Stage::parts:
            return outlets_.send(peer, fetch.assembly->missing());
        case Stage::whole:
            return outlets_.send(peer, GetBlock{place->first});
        case Stage::judgement:
            return;
    }
}

bool BlockRelay::take_request(PeerId peer, const Request& request) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return false;
    auto& requests = found->second.requests;
    const auto place = std::ranges::find(requests, request);
    if (place == requests.end()) return false;
    requests.erase(place);
    found->second.is_late = false;
    return true;
}

// An answer to none of the requests under way: either to none at all, or a wrong one to the first
// of its kind.
void BlockRelay::wrong_answer(PeerId peer, Stage kind, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    auto& requests = found->second.requests;
    const auto place = std::ranges::find(requests, kind, &Request::kind);
    if (place == requests.end()) {
        outlets_.report(peer, ProtocolOffence::unsolicited);
        return;
    }
    const chain::Hash256 asked = place->block;
    requests.erase(place);
    outlets_.report(peer, ProtocolOffence::wrong_answer);
    const auto fetch = fetches_.find(asked);
    if (fetch != fetches_.end() && !is_pending({fetch->second.stage, asked})) ask_next(fetch, now);
}

void BlockRelay::on_outline(PeerId peer, Outline message, SteadyTime now) {
    const chain::Hash256 id = chain::header_id(message.header);
    if (!take_request(peer, {Stage::outline, id})) return wrong_answer(peer, Stage::outline, now);
    ++figures_.outlines_received;
    const auto place = fetches_.find(id);
    if (place == fetches_.end() || place->second.stage != Stage::outline) {
        ++figures_.duplicates_received;
        return;
    }
    figures_.outline_bytes += chain::encoded_size(message);
    Fetch& fetch = place->second;
    fetch.from = peer;
    fetch.assembly = BlockAssembly::start(std::move(message), view_);
    if (!fetch.assembly) {
        outlets_.report(peer, ProtocolOffence::wrong_answer);
        return ask_next(place, now);
    }
    if (fetch.assembly->is_complete()) return assembled(place, now);
    enter(place, Stage::parts);
    ask(place, peer, now);
}

void BlockRelay::on_parts(PeerId peer, Parts message, SteadyTime now) {
    if (!take_request(peer, {Stage::parts, message.block})) {
        return wrong_answer(peer, Stage::parts, now);
    }
    const auto place = fetches_.find(message.block);
    if (place == fetches_.end() || place->second.stage != Stage::parts) {
        ++figures_.duplicates_received;
        return;
    }
    figures_.part_bytes += chain::encoded_size(message);
    Fetch& fetch = place->second;
    // Parts of another than the outline's sender: who was wrong, if it does not fit, can't be told.
    fetch.is_mixed = fetch.from != peer;
    fetch.from = peer;
    if (!fetch.assembly->add(std::move(message))) {
        if (!fetch.is_mixed) outlets_.report(peer, ProtocolOffence::wrong_answer);
        return ask_next(place, now);
    }
    assembled(place, now);
}

void BlockRelay::assembled(FetchPlace place, SteadyTime now) {
    Fetch& fetch = place->second;
    const SharedBlock block = fetch.assembly->finish();
    fetch.included = fetch.assembly->included();
    fetch.is_mixed = fetch.is_mixed || fetch.assembly->has_used_pools();
    fetch.assembly.reset();
    if (!block) return whole_or_next(place, ProtocolOffence::wrong_answer, now);
    ++figures_.blocks_assembled;
    figures_.assembled_bytes += chain::encoded_size(*block);
    submit(place, block);
}

// What came is not the block. If pools had a hand in it, that need not be the sender's fault: the
// whole block shows.
void BlockRelay::whole_or_next(FetchPlace place, const Offence& offence, SteadyTime now) {
    Fetch& fetch = place->second;
    if (fetch.is_mixed && peers_.contains(*fetch.from)) return ask_whole(place, now);
    if (!fetch.is_mixed && !fetch.is_proven) outlets_.report(*fetch.from, offence);
    ask_next(place, now);
}

void BlockRelay::ask_whole(FetchPlace place, SteadyTime now) {
    place->second.included.reset();
    place->second.is_mixed = false;
    enter(place, Stage::whole);
    ask(place, *place->second.from, now);
}

Asked BlockRelay::on_block(PeerId peer, BlockMessage& message) {
    const chain::Hash256 id = chain::header_id(message.block.header);
    if (!take_request(peer, {Stage::whole, id})) return Asked::no;
    ++figures_.whole_blocks_received;
    const auto place = fetches_.find(id);
    if (place == fetches_.end() || place->second.stage == Stage::judgement) {
        ++figures_.duplicates_received;
        return Asked::yes;
    }
    place->second.from = peer;
    place->second.is_mixed = false;
    place->second.included.reset();
    submit(place, std::make_shared<const chain::Block>(std::move(message.block)));
    return Asked::yes;
}

void BlockRelay::submit(FetchPlace place, SharedBlock block) {
    place->second.stage = Stage::judgement;
    outlets_.submit_block(*place->second.from, std::move(block), chain::U256());
}

void BlockRelay::on_not_found(PeerId peer, const NotFound& message, SteadyTime now) {
    for (const ItemId& item : message.items) {
        if (item.kind != ItemKind::block) continue;
        for (const Stage kind : {Stage::outline, Stage::parts, Stage::whole}) {
            if (!take_request(peer, {kind, item.id})) continue;
            const auto place = fetches_.find(item.id);
            if (place == fetches_.end() || place->second.stage != kind) break;
            // A block that is not judged yet may have no outline.
            if (kind == Stage::outline) {
                place->second.from = peer;
                ask_whole(place, now);
            } else if (!is_pending({kind, item.id})) {
                ask_next(place, now);
            }
            break;
        }
    }
}

// ---- the ledger

void BlockRelay::tip_changed(const chain::TipChange& change, SteadyTime now, std::uint64_t now_ms) {
    for (const chain::Hash256& id : change.redone) server_.recent().stored(id);
    const chain::BlockIndex& tip = change.tip->index();
    tell(tip.header, tip.cumulative_work);
    retry_waiting(now, now_ms);
}

void BlockRelay::block_proven(const SharedBlock& block) {
    const chain::Hash256 id = chain::header_id(block->header);
    const auto parent = view_.ledger.index(block->header.tmpl.parent);
    if (!parent || !*parent) return;
    std::optional<chain::IncludedSegments> included;
    if (const auto fetch = fetches_.find(id); fetch != fetches_.end()) {
        fetch->second.is_proven = true;
        included = fetch->second.included;
    }
    server_.recent().add(id, block, std::move(included));
    tell(block->header, chain::saturating_add((*parent)->cumulative_work,
                                              chain::block_work(block->header.tmpl.bits)));
}

void BlockRelay::block_judged(PeerId peer, const chain::Hash256& id, const BlockVerdict& verdict,
                              SteadyTime now, std::uint64_t now_ms) {
    const auto* error = verdict ? nullptr : &verdict.error();
    const bool is_here = !error || *error == chain::SubmitError(chain::LedgerError::duplicate);
    if (!is_here) server_.recent().remove(id);
    const auto place = fetches_.find(id);
    if (place == fetches_.end() || place->second.stage != Stage::judgement ||
        place->second.from != peer) {
        return;
    }
    if (is_here) {
        fetches_.erase(place);
    } else {
        judged_bad(place, *error, now);
    }
    retry_waiting(now, now_ms);
}

// Whoever passes a block on has proved its work, but perhaps no more: what shows up later is
// nobody's fault but its miner's.
void BlockRelay::judged_bad(FetchPlace place, const chain::SubmitError& error, SteadyTime now) {
    const Fetch& fetch = place->second;
    const bool breaks_rule = std::holds_alternative<chain::RuleError>(error);
    switch (chain::blame(error)) {
        case chain::Consequence::malformed:
            return whole_or_next(place, error, now);
        case chain::Consequence::invalid:
            // Condemned before: whoever sent it could not know.
            if (breaks_rule && !fetch.is_proven) outlets_.report(*fetch.from, error);
            refused_.insert(place->first);
            break;
        case chain::Consequence::not_yet:
        case chain::Consequence::ours:
            break;
    }
    fetches_.erase(place);
}

// A block whose parent was under way when it was announced has its turn when that is here, or none
// when that has come to nothing.
void BlockRelay::retry_waiting(SteadyTime now, std::uint64_t now_ms) {
    std::vector<std::pair<PeerId, Announce>> ready;
    for (auto& [id, peer] : peers_) {
        for (const Announce& message : std::exchange(peer.waiting, {})) {
            if (fetches_.contains(message.header.tmpl.parent)) {
                peer.waiting.push_back(message);
            } else {
                ready.emplace_back(id, message);
            }
        }
    }
    for (const auto& [peer, message] : ready) {
        consider(peer, message, chain::header_id(message.header), now, now_ms);
    }
}

void BlockRelay::tick(SteadyTime now) {
    for (auto place = fetches_.begin(); place != fetches_.end();) {
        const auto here = place++;
        Fetch& fetch = here->second;
        if (fetch.stage == Stage::judgement || now < fetch.deadline) continue;
        if (now >= fetch.end) {
            ++figures_.block_timeouts;
            fetches_.erase(here);
            continue;
        }
        for (auto& [id, peer] : peers_) {
            if (owes(peer, {fetch.stage, here->first})) peer.is_late = true;
        }
        ask_another(here, now);
    }
}

}  // namespace gradient::node
