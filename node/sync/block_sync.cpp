#include "node/sync/block_sync.hpp"

#include "chain/base/check.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace gradient::node {

using chain::Hash256;
using chain::U256;

namespace {

// Blocks over which the speed is measured.
constexpr std::size_t kSpeedBlocks = 64;
// Blocks that can be judged next, of other chains than the best, that are held beyond the window.
constexpr std::size_t kMaxNextHeld = 4;
// Blocks that relay may keep for itself.
constexpr std::size_t kMaxLeftToRelay = 64;

double seconds(SteadyTime::duration time) {
    return std::chrono::duration<double>(time).count();
}

}  // namespace

BlockSync::BlockSync(const chain::Ledger& ledger, SyncOutlets outlets, const SyncLimits& limits)
    : ledger_(ledger), outlets_(std::move(outlets)), limits_(limits), downloads_(limits_) {}

void BlockSync::peer_joined(PeerId peer, const Hello& hello, SteadyTime now) {
    Peer& its = peers_[peer];
    its.header_credit = static_cast<double>(limits_.header_credit);
    its.credit_at = now;
    downloads_.add_peer(peer);
    claim(its, hello.tip, now);
    go_on(now);
}

void BlockSync::peer_left(PeerId peer, SteadyTime now) {
    peers_.erase(peer);
    downloads_.remove_peer(peer);
    go_on(now);
}

// ---- blocks: which, of whom

bool BlockSync::is_useful(const Peer& peer) const {
    if (!wants_more(peer) || !peer.path || peer.path->empty()) return false;
    // What the ledger would not admit is not fetched either.
    return known_work(peer) > ledger_.work_floor();
}

// Whose chain is fetched first: of those who send what it takes next, one with the most work;
// whoever it was, if there is none better.
void BlockSync::choose_leader(SteadyTime now) {
    std::optional<std::pair<bool, U256>> best;
    const auto consider = [&](PeerId id) {
        const Peer& peer = peers_.at(id);
        if (!is_useful(peer)) return;
        const std::pair rank{!downloads_.is_failing(id, (*peer.path)[0], now), known_work(peer)};
        if (best && rank <= *best) return;
        best = rank;
        leader_ = id;
    };
    const std::optional<PeerId> before = std::exchange(leader_, std::nullopt);
    if (before && peers_.contains(*before)) consider(*before);
    for (const auto& [id, peer] : peers_) consider(id);
}

const HeaderPath* BlockSync::best_path() const {
    if (!leader_) return nullptr;
    const auto found = peers_.find(*leader_);
    return found == peers_.end() || !found->second.path ? nullptr : &*found->second.path;
}

bool BlockSync::on_best_chain(const Hash256& id, std::uint64_t height) const {
    const HeaderPath* path = best_path();
    return path && path->has(id, height);
}

bool BlockSync::is_next(const Hash256& id) const {
    return std::ranges::any_of(peers_, [&](const auto& item) {
        const auto& path = item.second.path;
        return path && !path->empty() && (*path)[0] == id;
    });
}

bool BlockSync::has_room(bool next, bool on_best) const {
    if (next && on_best) return true;
    if (next) {
        const auto waiting = downloads_.waiting();
        const auto held =
            std::ranges::count_if(waiting, [&](const auto& item) { return is_next(item.second); });
        return static_cast<std::size_t>(held) < kMaxNextHeld;
    }
    const std::size_t limit = on_best ? limits_.window_bytes : limits_.window_bytes / 2;
    return downloads_.window_bytes() + downloads_.likely_bytes() <= limit;
}

bool BlockSync::ask_for_block(PeerId id, const Peer& peer, SteadyTime now) {
    if (!downloads_.has_slot(id) || !is_useful(peer)) return false;
    const HeaderPath& path = *peer.path;
    const std::size_t window = std::min(limits_.window_blocks, path.size());
    for (std::size_t i = 0; i < window; ++i) {
        const std::uint64_t height = path.first_height() + i;
        const bool on_best = on_best_chain(path[i], height);
        if (!on_best && i >= limits_.side_window_blocks) return false;
        if (!downloads_.should_ask(id, path[i], now)) continue;
        if (left_to_relay_.contains(path[i]) || !has_room(i == 0, on_best)) continue;
        downloads_.asked(id, path[i], height, now);
        outlets_.send(id, GetBlock{path[i]});
        return true;
    }
    return false;
}

void BlockSync::ask_for_blocks(SteadyTime now) {
    // In turn, so that neighbouring blocks come from different peers.
    for (bool asked = true; asked;) {
        asked = false;
        for (const auto& [id, peer] : peers_) asked = ask_for_block(id, peer, now) || asked;
    }
}

void BlockSync::on_block(PeerId peer, std::shared_ptr<const chain::Block> block, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    const Hash256 id = chain::header_id(block->header);
    if (!downloads_.is_asked(peer, id)) {
        outlets_.report(peer, ProtocolOffence::unsolicited);
        return;
    }
    found->second.silence.answered();
    downloads_.arrived(peer, id, std::move(block), now);
    make_room();
    go_on(now);
}

void BlockSync::on_not_found(PeerId peer, const NotFound& message, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    auto& request = found->second.request;
    for (const ItemId& item : message.items) {
        if (item.kind != ItemKind::block) continue;
        if (downloads_.is_asked(peer, item.id)) found->second.silence.answered();
        downloads_.not_found(peer, item.id, now + limits_.ask_again);
        if (request && (item.id == ledger_.network().genesis.id ||
                        std::ranges::find(request->locator, item.id) != request->locator.end())) {
            // Its chain came as a snapshot, and it has no headers from there on.
            request.reset();
            found->second.ask_after = now + limits_.ask_again;
        }
    }
    go_on(now);
}

void BlockSync::left_to_relay(const Hash256& id, SteadyTime now) {
    if (left_to_relay_.size() < kMaxLeftToRelay)
        left_to_relay_[id] = now + limits_.relay_fetch_time;
}

// Whatever can be fetched again and is of least use goes first; what can be judged next goes last,
// and that of the best chain never.
void BlockSync::make_room() {
    while (downloads_.held_bytes() > limits_.window_bytes) {
        std::optional<std::pair<std::pair<int, std::uint64_t>, Hash256>> least;
        for (const auto& [height, id] : downloads_.waiting()) {
            const bool best = on_best_chain(id, height);
            const bool next = is_next(id);
            if ((best && next) || downloads_.find(id)->submitted) continue;
            const int use = next ? 0 : best ? 1 : 2;
            const std::pair rank{use, height};
            if (!least || rank > least->first) least = {rank, id};
        }
        if (!least) return;
        downloads_.drop_for_now(least->second);
    }
}

// ---- judging

U256 BlockSync::branch_work(const Hash256& id, std::uint64_t height) const {
    U256 work;
    for (const auto& [peer, its] : peers_) {
        if (!its.path || !its.path->has(id, height)) continue;
        work = std::max(work, known_work(its));
    }
    return work;
}

bool BlockSync::submit_next(const Peer& peer, SteadyTime now) {
    if (!is_useful(peer)) return false;
    const Hash256 id = (*peer.path)[0];
    BlockDownloads::Arrived* arrived = downloads_.find(id);
    if (!arrived || arrived->submitted || now < arrived->not_before) return false;
    arrived->submitted = true;
    outlets_.submit_block(arrived->sender, arrived->block,
                          branch_work(id, peer.path->first_height()));
    return true;
}

void BlockSync::submit_blocks(SteadyTime now) {
    if (downloads_.submitted() >= limits_.max_submitted) return;
    if (leader_) submit_next(peers_.at(*leader_), now);
    // Other chains take what time the best one leaves.
    for (const auto& [id, peer] : peers_) {
        if (downloads_.submitted() > 0) return;
        submit_next(peer, now);
    }
}

void BlockSync::block_judged(PeerId peer, const Hash256& id,
                             const chain::Result<chain::CommitOutcome, chain::SubmitError>& result,
                             SteadyTime now) {
    left_to_relay_.erase(id);
    BlockDownloads::Arrived* arrived = downloads_.find(id);
    const bool own = arrived && arrived->submitted && arrived->sender == peer;
    if (result || result.error() == chain::SubmitError(chain::LedgerError::duplicate)) {
        block_stored(id, now);
    } else if (chain::blame(result.error()) == chain::Consequence::invalid) {
        if (own) outlets_.report(peer, result.error());
        block_invalid(id, result.error());
    } else if (own) {
        arrived->submitted = false;
        arrived->not_before = now + limits_.judge_again;
        block_not_judged(peer, id, result.error());
    }
    go_on(now);
}

void BlockSync::block_not_judged(PeerId sender, const Hash256& id,
                                 const chain::SubmitError& error) {
    if (chain::blame(error) == chain::Consequence::ours) {
        own_failure_ = error;
    } else if (chain::blame(error) == chain::Consequence::malformed) {
        // Another copy may be good.
        outlets_.report(sender, error);
        downloads_.drop_copy(id);
    } else if (error != chain::SubmitError(chain::RuleError(chain::HeaderError::time_too_far))) {
        // Too little work, too deep a fork, or one that has been pruned in the meantime: nothing
        // that time mends, and nobody's fault.
        give_up_chain(id, error);
    }
}

void BlockSync::block_stored(const Hash256& id, SteadyTime now) {
    own_failure_.reset();
    if (downloads_.find(id)) {
        stored_times_.push_back(now);
        if (stored_times_.size() > kSpeedBlocks) stored_times_.pop_front();
    }
    downloads_.forget(id);
    pop_stored();
}

void BlockSync::pop_stored() {
    for (auto& [id, peer] : peers_) {
        if (!peer.path) continue;
        while (!peer.path->empty() && stored((*peer.path)[0])) {
            peer.path->pop_front();
            peer.header_credit =
                std::min(peer.header_credit + 1, static_cast<double>(limits_.header_credit));
        }
    }
}

void BlockSync::block_invalid(const Hash256& id, const chain::SubmitError& error) {
    downloads_.forget(id);
    if (condemned_.insert(id).second) {
        condemned_order_.push_back(id);
        if (condemned_order_.size() > limits_.max_condemned) {
            condemned_.erase(condemned_order_.front());
            condemned_order_.pop_front();
        }
    }
    give_up_chain(id, error);
}

void BlockSync::give_up_chain(const Hash256& id, const chain::SubmitError& why) {
    const HeaderPool::Entry* entry = pool_.find(id);
    if (!entry) return;
    const std::uint64_t height = entry->header.tmpl.height;
    for (auto& [peer, its] : peers_) {
        if (!its.path || !its.path->has(id, height)) continue;
        forget_chain(its);
        its.refused = true;
    }
    last_refusal_ = why;
}

// ---- going on

void BlockSync::clean_up(SteadyTime now) {
    std::erase_if(left_to_relay_, [&](const auto& item) { return item.second <= now; });
    for (auto& [id, peer] : peers_) {
        if (!wants_more(peer)) forget_chain(peer);
    }
    downloads_.keep_only([&](const Hash256& id) { return pool_.find(id) != nullptr; });
}

void BlockSync::go_on(SteadyTime now) {
    clean_up(now);
    ask_for_headers(now);
    choose_leader(now);
    ask_for_blocks(now);
    submit_blocks(now);
}

void BlockSync::tip_changed(SteadyTime now) {
    pop_stored();
    go_on(now);
}

void BlockSync::tick(SteadyTime now) {
    mark_late_headers(now);
    downloads_.mark_late(now);
    drop_silent_peers(now);
    go_on(now);
}

void BlockSync::drop_silent_peers(SteadyTime now) {
    for (auto& [id, peer] : peers_) {
        if (!peer.request && !downloads_.owes(id)) {
            peer.silence.answered();
            continue;
        }
        const std::uint64_t bytes = outlets_.received_bytes ? outlets_.received_bytes(id) : 0;
        // What it was asked for stays asked: its answers may come yet, and are to be known as such.
        if (!peer.silence.is_silent(bytes, now)) continue;
        refuse(id, peer, ProtocolOffence::stalled);
    }
}

// ---- status

SyncState BlockSync::state(SteadyTime now) const {
    using namespace sync_state;  // NOLINT(google-build-using-namespace)
    if (peers_.empty()) return NoPeers{};
    if (own_failure_) return OwnFailure{*own_failure_};
    if (const auto height = downloads_.submitted_height()) return Verifying{*height};
    const BlockDownloads::Progress progress = downloads_.progress(now);
    if (progress.late) return Stalled{progress.late->first, progress.late->second};
    if (progress.in_flight > 0) {
        return Downloading{progress.first_height, progress.last_height, progress.peers};
    }
    bool claims = false;
    bool refused = false;
    for (const auto& [id, peer] : peers_) {
        if (peer.claim.cumulative_work <= tip_work()) continue;
        refused = refused || peer.refused;
        if (peer.refused) continue;
        claims = true;
        if (peer.request && peer.request->late) return Stalled{id, peer.request->asked};
        if (peer.request) return WaitingForHeaders{id};
    }
    if (claims) return NoSource{next_height()};
    if (refused && last_refusal_) return AllPeersRefused{*last_refusal_};
    return InSync{};
}

std::uint64_t BlockSync::next_height() const {
    const HeaderPath* path = best_path();
    return path ? path->first_height() : ledger_.tip()->height() + 1;
}

SyncStatus BlockSync::status(SteadyTime now) const {
    SyncStatus status;
    status.state = state(now);
    for (const auto& [id, peer] : peers_) {
        if (peer.refused || peer.claim.cumulative_work <= status.best_claimed_work) continue;
        status.best_claimed_work = peer.claim.cumulative_work;
        status.best_claimed_height = peer.claim.height;
    }
    if (stored_times_.size() > 1) {
        const double span = seconds(now - stored_times_.front());
        if (span > 0) {
            status.blocks_per_second = static_cast<double>(stored_times_.size() - 1) / span;
        }
    }
    status.headers_held = pool_.size();
    if (const HeaderPath* path = best_path()) status.best_chain_headers = path->size();
    status.blocks_held = downloads_.waiting().size();
    status.bytes_held = downloads_.held_bytes();
    status.blocks_in_flight = downloads_.progress(now).in_flight;
    return status;
}

}  // namespace gradient::node
