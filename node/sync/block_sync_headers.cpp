// The part of BlockSync that turns claims into checked headers.

#include "chain/consensus/difficulty.hpp"
#include "node/sync/block_sync.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace gradient::node {

using chain::Hash256;
using chain::U256;

namespace {

// Ids at the near end of a locator that follow one another; from there on steps double.
constexpr std::size_t kDenseIds = 4;

}  // namespace

std::optional<chain::BlockIndex> BlockSync::stored(const Hash256& id) const {
    // A store that can't be read is the ledger's to report.
    auto index = ledger_.index(id);
    return index ? *std::move(index) : std::nullopt;
}

const U256& BlockSync::tip_work() const {
    return ledger_.tip()->index().cumulative_work;
}

// ---- claims

void BlockSync::claim(Peer& peer, const TipClaim& claim, SteadyTime ask_after) {
    if (peer.claim.id == claim.id) return;
    peer.claim = claim;
    peer.refused = false;
    peer.short_falls = 0;
    peer.ask_after = ask_after;
}

bool BlockSync::needs_headers(const Announce& announce) const {
    return announce.cumulative_work > tip_work() && !stored(announce.header.tmpl.parent);
}

void BlockSync::on_announce(PeerId peer, const Announce& announce, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    Peer& its = found->second;
    const bool alone = needs_headers(announce) || (its.path && !its.path->empty());
    claim(
        its,
        {announce.header.tmpl.height, chain::header_id(announce.header), announce.cumulative_work},
        alone ? now : now + limits_.relay_time);
    go_on(now);
}

void BlockSync::on_claim(PeerId peer, const TipClaim& claimed, SteadyTime now) {
    const auto found = peers_.find(peer);
    // Relay is told of a new block by an announcement, which comes first or not at all.
    if (found == peers_.end() || claimed.cumulative_work <= found->second.claim.cumulative_work)
        return;
    claim(found->second, claimed, now + limits_.relay_time);
    go_on(now);
}

void BlockSync::announced_unknown_parent(PeerId peer, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    found->second.ask_after = std::min(found->second.ask_after, now);
    go_on(now);
}

bool BlockSync::wants_more(const Peer& peer) const {
    return !peer.refused && peer.claim.cumulative_work > tip_work();
}

// ---- asking

bool BlockSync::wants_headers(const Peer& peer, SteadyTime now) const {
    if (!wants_more(peer) || peer.request || now < peer.ask_after) return false;
    if (peer.header_credit <= 0) return false;
    if (!peer.path) return true;
    if (peer.path->end().cumulative_work() >= peer.claim.cumulative_work) return false;
    if (peer.path->size() <= limits_.peer_headers / 2) return true;
    return needs_survey(peer) && (!peer.survey || peer.survey->size() < limits_.survey_headers);
}

// What the headers of the chain that it has shown sum up to. Precondition: it has a path.
U256 BlockSync::known_work(const Peer& peer) {
    const U256& held = peer.path->end().cumulative_work();
    return peer.survey ? std::max(held, peer.survey->end().cumulative_work()) : held;
}

// The path can't grow, and the ledger would refuse its blocks for want of work.
bool BlockSync::needs_survey(const Peer& peer) const {
    if (!peer.path || peer.path->size() <= limits_.peer_headers / 2) return false;
    return known_work(peer) <= (peer.survey ? tip_work() : ledger_.work_floor());
}

std::vector<Hash256> BlockSync::locator(const Peer& peer) const {
    std::vector<Hash256> ids;
    // Goes down from a height to `last`, with `id_of` giving the ids.
    const auto descend = [&](std::uint64_t height, std::uint64_t last, const auto& id_of) {
        std::uint64_t step = 1;
        for (std::size_t count = 1; ids.size() < kMaxLocatorIds; ++count) {
            const std::optional<Hash256> id = id_of(height);
            if (id) ids.push_back(*id);
            if (count >= kDenseIds) step *= 2;
            if (height < last + step) return;
            height -= step;
        }
    };
    const HeaderPath* path = peer.path ? &*peer.path : best_path();
    if (path && path->empty()) ids.push_back(path->end().id());
    if (path && !path->empty()) {
        const std::uint64_t first = path->first_height();
        descend(path->end().height(), first,
                [&](std::uint64_t height) { return std::optional((*path)[height - first]); });
    }
    descend(ledger_.tip()->height(), 0, [&](std::uint64_t height) {
        const auto id = ledger_.id_at(height);
        return id ? *id : std::nullopt;
    });
    return ids;
}

void BlockSync::ask_for_headers(SteadyTime now) {
    for (auto& [id, peer] : peers_) {
        renew_credit(peer, now);
        if (!wants_headers(peer, now)) continue;
        if (adopt_claim(id, peer)) continue;
        const bool survey = needs_survey(peer);
        if (survey && !peer.survey) {
            peer.survey.emplace(peer.path->end(), limits_.peer_headers / limits_.surveys_per_path);
        }
        peer.request =
            HeaderRequest{survey ? std::vector<Hash256>{peer.survey->end().id()} : locator(peer),
                          now, now + limits_.headers_time, false, survey};
        outlets_.send(id, GetHeaders{peer.request->locator});
    }
}

// Another peer may have shown the chain already, or its end may have come to be stored.
bool BlockSync::adopt_claim(PeerId id, Peer& peer) {
    if (pool_.find(peer.claim.id) == nullptr && !stored(peer.claim.id)) return false;
    auto path = HeaderPath::to(pool_, ledger_, peer.claim.id);
    if (!path || path->size() > limits_.peer_headers) return false;
    peer.path = *std::move(path);
    peer.survey.reset();
    // This very block is known, and so is the work up to it.
    if (peer.path->end().cumulative_work() < peer.claim.cumulative_work)
        refuse(id, peer, ProtocolOffence::false_claim);
    return true;
}

void BlockSync::renew_credit(Peer& peer, SteadyTime now) const {
    const double renewed = std::chrono::duration<double>(now - peer.credit_at).count() *
                           static_cast<double>(limits_.header_credit_per_second);
    peer.header_credit =
        std::min(peer.header_credit + renewed, static_cast<double>(limits_.header_credit));
    peer.credit_at = now;
}

void BlockSync::mark_late_headers(SteadyTime now) {
    for (auto& [id, peer] : peers_) {
        if (peer.request && now >= peer.request->deadline) peer.request->late = true;
    }
}

// ---- answers

void BlockSync::on_headers(PeerId peer, const Headers& message, SteadyTime now,
                           std::uint64_t now_ms) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    Peer& its = found->second;
    if (!its.request) {
        outlets_.report(peer, ProtocolOffence::unsolicited);
        return;
    }
    const HeaderRequest request = *std::exchange(its.request, std::nullopt);
    its.silence.answered();
    if (request.survey) {
        take_survey(peer, its, request, message, now, now_ms);
    } else if (message.headers.empty()) {
        no_headers(peer, its, request, now);
    } else {
        take_headers(peer, its, request, message, now, now_ms);
    }
    go_on(now);
}

void BlockSync::no_headers(PeerId id, Peer& peer, const HeaderRequest& request, SteadyTime now) {
    // Its chain ends in some block of the locator, of which the first has the most work.
    peer.ask_after = now + limits_.ask_again;
    const Hash256& first = request.locator.front();
    U256 most = tip_work();
    if (const HeaderPool::Entry* entry = pool_.find(first)) {
        most = std::max(most, entry->cumulative_work);
    } else if (const auto index = stored(first)) {
        most = std::max(most, index->cumulative_work);
    } else {
        return;
    }
    fell_short(id, peer, most, now);
}

std::optional<HeaderPath> BlockSync::path_to(Peer& peer, const Hash256& id) {
    if (peer.path && peer.path->end().id() == id) {
        return std::exchange(peer.path, std::nullopt);
    }
    auto path = HeaderPath::to(pool_, ledger_, id);
    forget_chain(peer);
    return path;
}

void BlockSync::take_headers(PeerId id, Peer& peer, const HeaderRequest& request,
                             const Headers& message, SteadyTime now, std::uint64_t now_ms) {
    const Hash256& start = message.headers.front().tmpl.parent;
    const auto& locator = request.locator;
    if (start != ledger_.network().genesis.id &&
        std::ranges::find(locator, start) == locator.end()) {
        refuse(id, peer, ProtocolOffence::broken_headers);
        return;
    }
    auto path = path_to(peer, start);
    if (!path) return;  // given up since it was asked about
    const std::uint64_t most = path->end().height() + std::min(message.headers.size(),
                                                               limits_.peer_headers - path->size());
    const std::uint64_t last = peer.survey ? peer.survey->known_height(most) : most;
    std::size_t taken = 0;
    for (const chain::Header& header : message.headers) {
        if (path->end().height() >= last) break;
        const auto added = add_header(*path, header, peer, now_ms);
        if (!added) {
            refuse(id, peer, added.error());
            return;
        }
        if (*added == Added::too_early) {
            peer.ask_after = now + limits_.ask_again;
            break;
        }
        ++taken;
    }
    peer.path = *std::move(path);
    if (peer.survey && peer.path->end().height() >= peer.survey->end().height()) {
        peer.survey.reset();
    }
    const bool ended = taken == message.headers.size() && taken < kMaxHeadersPerMessage;
    if (ended) headers_ended(id, peer, now);
}

void BlockSync::take_survey(PeerId id, Peer& peer, const HeaderRequest& request,
                            const Headers& message, SteadyTime now, std::uint64_t now_ms) {
    const Hash256& start = request.locator.front();
    if (!peer.survey || peer.survey->end().id() != start) return;  // given up in the meantime
    if (!message.headers.empty() && message.headers.front().tmpl.parent != start) {
        forget_chain(peer);  // the peer has moved to another chain
        return;
    }
    for (const chain::Header& header : message.headers) {
        peer.header_credit -= 1;
        const auto added = peer.survey->extend(header, ledger_.network(), now_ms);
        if (added) continue;
        if (chain::blame(added.error()) == chain::Consequence::not_yet) {
            peer.ask_after = now + limits_.ask_again;
            return;
        }
        refuse(id, peer, ProtocolOffence::broken_headers);
        return;
    }
    const bool ended = message.headers.size() < kMaxHeadersPerMessage;
    if (ended) fell_short(id, peer, known_work(peer), now);
}

chain::Result<BlockSync::Added, Offence> BlockSync::add_header(HeaderPath& path,
                                                               const chain::Header& header,
                                                               Peer& peer, std::uint64_t now_ms) {
    if (header.tmpl.parent != path.end().id()) {
        return chain::fail(Offence(ProtocolOffence::broken_headers));
    }
    const Hash256 id = chain::header_id(header);
    if (condemned_.contains(id)) {
        return chain::fail(Offence(chain::SubmitError(chain::LedgerError::condemned)));
    }
    if (peer.survey && !peer.survey->agrees(id, header.tmpl.height)) {
        return chain::fail(Offence(ProtocolOffence::broken_headers));
    }
    if (path.empty()) {
        if (const auto index = stored(id)) {
            path = HeaderPath(pool_, HeaderEnd(id, *index));
            return Added::taken;
        }
    }
    if (pool_.find(id) == nullptr) peer.header_credit -= 1;
    const auto added = path.extend(id, header, ledger_.network(), now_ms);
    if (added) return Added::taken;
    if (chain::blame(added.error()) == chain::Consequence::not_yet) return Added::too_early;
    return chain::fail(Offence(ProtocolOffence::broken_headers));
}

void BlockSync::headers_ended(PeerId id, Peer& peer, SteadyTime now) {
    fell_short(id, peer, peer.path->end().cumulative_work(), now);
}

// Blocks are announced when their work is proved, before they are on their sender's chain; and they
// may lose against others. So a claim may be a few blocks ahead of the headers behind it, for the
// time that judging them takes.
void BlockSync::fell_short(PeerId id, Peer& peer, const U256& shown, SteadyTime now) {
    if (shown >= peer.claim.cumulative_work) return;
    const U256 ahead = chain::saturating_mul(
        chain::block_work(ledger_.tip()->index().header.tmpl.bits), limits_.blocks_ahead);
    if (chain::saturating_add(shown, ahead) < peer.claim.cumulative_work) {
        refuse(id, peer, ProtocolOffence::false_claim);
    } else if (++peer.short_falls < limits_.ahead_askings) {
        peer.ask_after = now + limits_.ahead_wait;
    } else {
        peer.claim.cumulative_work = shown;
    }
}

void BlockSync::forget_chain(Peer& peer) {
    peer.path.reset();
    peer.survey.reset();
}

void BlockSync::refuse(PeerId id, Peer& peer, const Offence& offence) {
    forget_chain(peer);
    peer.refused = true;
    last_refusal_ = offence;
    outlets_.report(id, offence);
}

}  // namespace gradient::node
