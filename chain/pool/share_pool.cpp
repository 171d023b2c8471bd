#include "chain/pool/share_pool.hpp"

#include "chain/base/check.hpp"

#include <algorithm>

namespace gradient::chain {

std::string_view describe(ShareRefusal refusal) noexcept {
    switch (refusal) {
        case ShareRefusal::already_pooled:
            return "the share waits in the pool already";
        case ShareRefusal::lane_taken:
            return "another segment of the same lane waits in the pool";
        case ShareRefusal::too_old:
            return "no block can include a share of this round any more";
        case ShareRefusal::too_far_ahead:
            return "the share's round lies too far above the round under work";
        case ShareRefusal::miner_full:
            return "better shares of the same miner reach what the pool takes of one miner";
        case ShareRefusal::pool_full:
            return "better shares reach what the pool takes";
    }
    return "";
}

// Of a verified share, hits < 2^8, L <= 2^12 and bytes < 2^25; lateness takes a factor up to 4.
bool SharePool::BetterRank::operator()(const Rank& a, const Rank& b) const noexcept {
    const std::uint64_t left = a.pay * b.bytes;
    const std::uint64_t right = b.pay * a.bytes;
    return left != right ? left > right : a.arrival < b.arrival;
}

// Blocks late in the next block: a share of round r is listed in block r + 1.
std::uint32_t SharePool::lateness(std::uint64_t round) const noexcept {
    const std::uint64_t late = next_height_ > round + 1 ? next_height_ - round - 1 : 0;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(late, kMaxLateness + 1));
}

SharePool::Entry SharePool::make_entry(Share share) const {
    const SegmentOutcome& outcome = share->outcome;
    Entry entry;
    entry.rank.pay =
        std::uint64_t{outcome.hits} * std::min(outcome.paid_units, limits_.full_pay_units);
    entry.rank.bytes = std::max<std::uint64_t>(outcome.size_bytes, 1);
    entry.rank.arrival = arrivals_;
    entry.is_own = own_ && outcome.miner == *own_;
    entry.bytes = outcome.size_bytes + outcome.delta->size() * sizeof(std::int32_t);
    entry.share = std::move(share);
    return entry;
}

Result<std::vector<RemovedShare>, ShareRefusal> SharePool::add(Share share) {
    const SegmentOutcome& outcome = share->outcome;
    const std::uint64_t number = outcome.round;
    if (by_id_.contains(outcome.id)) return fail(ShareRefusal::already_pooled);
    if (lanes_.contains(outcome.template_hash)) return fail(ShareRefusal::lane_taken);
    if (lateness(number) > kMaxLateness) return fail(ShareRefusal::too_old);
    if (number > next_height_ && number - next_height_ > limits_.rounds_ahead) {
        return fail(ShareRefusal::too_far_ahead);
    }
    Entry entry = make_entry(std::move(share));
    bool miner_is_full = false;
    const auto victims = find_victims(number, entry, miner_is_full);
    if (!victims) {
        return fail(miner_is_full ? ShareRefusal::miner_full : ShareRefusal::pool_full);
    }
    std::vector<RemovedShare> gone;
    for (const auto& [round, rank] : *victims) {
        gone.push_back({rounds_.at(round).entries.at(rank).share, ShareRemoval::evicted});
        erase(round, rank);
    }
    Round& round = rounds_[number];
    Sums& miner = round.miners[outcome.miner];
    miner.count += 1;
    miner.bytes += entry.bytes;
    round.bytes += entry.bytes;
    size_bytes_ += entry.bytes;
    arrivals_ += 1;
    by_id_.emplace(outcome.id, std::pair(number, entry.rank));
    lanes_.emplace(outcome.template_hash, outcome.id);
    const Rank rank = entry.rank;
    round.entries.emplace(rank, std::move(entry));
    return gone;
}

void SharePool::erase(std::uint64_t number, const Rank& rank) {
    const auto at = rounds_.find(number);
    Round& round = at->second;
    const auto found = round.entries.find(rank);
    const Entry& entry = found->second;
    const SegmentOutcome& outcome = entry.share->outcome;
    const auto miner = round.miners.find(outcome.miner);
    miner->second.count -= 1;
    miner->second.bytes -= entry.bytes;
    if (miner->second.count == 0) round.miners.erase(miner);
    round.bytes -= entry.bytes;
    size_bytes_ -= entry.bytes;
    by_id_.erase(outcome.id);
    lanes_.erase(outcome.template_hash);
    round.entries.erase(found);
    if (round.entries.empty()) rounds_.erase(at);
}

// What goes for a new share: first the worst of its miner, then of its round, then of the oldest
// round, strangers' before ours. Nothing if the new one itself would be next.
std::optional<std::vector<std::pair<std::uint64_t, SharePool::Rank>>> SharePool::find_victims(
    std::uint64_t number, const Entry& fresh, bool& miner_is_full) const {
    using Place = std::pair<std::uint64_t, Rank>;
    std::vector<Place> victims;
    const PublicKey& miner = fresh.share->outcome.miner;
    Sums of_miner{1, fresh.bytes};
    Sums of_round{1, fresh.bytes};
    std::size_t total = size_bytes_ + fresh.bytes;
    const auto round = rounds_.find(number);
    if (round != rounds_.end()) {
        of_round.count += round->second.entries.size();
        of_round.bytes += round->second.bytes;
        if (const auto sums = round->second.miners.find(miner);
            sums != round->second.miners.end()) {
            of_miner.count += sums->second.count;
            of_miner.bytes += sums->second.bytes;
        }
    }
    const auto is_victim = [&](std::uint64_t at, const Rank& rank) {
        return std::any_of(victims.begin(), victims.end(), [&](const Place& place) {
            return place.first == at && place.second.arrival == rank.arrival;
        });
    };
    const auto drop = [&](std::uint64_t at, const Entry& entry) {
        victims.emplace_back(at, entry.rank);
        total -= entry.bytes;
        if (at != number) return;
        of_round.count -= 1;
        of_round.bytes -= entry.bytes;
        if (entry.share->outcome.miner != miner) return;
        of_miner.count -= 1;
        of_miner.bytes -= entry.bytes;
    };
    // Drops from one round, worst first, while too much is in. The new share holds its own against
    // worse ones of its round and kind, and against everything of the rounds before.
    const auto drop_while = [&](std::uint64_t at, bool own, const auto& is_too_much,
                                const auto& counts) {
        const auto found = rounds_.find(at);
        if (found == rounds_.end()) return;
        const auto& entries = found->second.entries;
        for (auto worst = entries.rbegin(); worst != entries.rend() && is_too_much(); ++worst) {
            const Entry& entry = worst->second;
            if (entry.is_own != own || !counts(entry) || is_victim(at, entry.rank)) continue;
            if (at == number && own == fresh.is_own && BetterRank{}(entry.rank, fresh.rank)) break;
            drop(at, entry);
        }
    };
    const auto any = [](const Entry&) { return true; };

    const auto miner_over = [&] {
        return !fresh.is_own &&
               (of_miner.count > limits_.miner_shares || of_miner.bytes > limits_.miner_bytes);
    };
    drop_while(number, false, miner_over,
               [&](const Entry& entry) { return entry.share->outcome.miner == miner; });
    miner_is_full = miner_over();
    if (miner_is_full) return std::nullopt;

    const auto round_over = [&] {
        return of_round.count > limits_.round_shares || of_round.bytes > limits_.round_bytes;
    };
    drop_while(number, false, round_over, any);
    if (fresh.is_own) drop_while(number, true, round_over, any);
    if (round_over()) return std::nullopt;

    const auto total_over = [&] { return total > limits_.total_bytes; };
    for (const bool own : {false, true}) {
        if (own && !fresh.is_own) break;
        for (const auto& [at, entries] : rounds_) {
            if (at > number && own == fresh.is_own) break;
            drop_while(at, own, total_over, any);
        }
    }
    if (total_over()) return std::nullopt;
    return victims;
}

std::vector<RemovedShare> SharePool::tip_changed(std::uint64_t next_height) {
    next_height_ = next_height;
    std::vector<RemovedShare> gone;
    while (!rounds_.empty() && lateness(rounds_.begin()->first) > kMaxLateness) {
        const std::uint64_t number = rounds_.begin()->first;
        const Entry& entry = rounds_.begin()->second.entries.begin()->second;
        gone.push_back({entry.share, ShareRemoval::too_old});
        erase(number, Rank(entry.rank));
    }
    return gone;
}

std::vector<SharePool::Share> SharePool::take_all() {
    std::vector<Share> all;
    for (const auto& [number, round] : rounds_) {
        for (const auto& [rank, entry] : round.entries) all.push_back(entry.share);
    }
    rounds_.clear();
    by_id_.clear();
    lanes_.clear();
    size_bytes_ = 0;
    return all;
}

void SharePool::collect(const OpenRound& round, std::uint64_t factor,
                        std::vector<Candidate>& candidates) const {
    const auto found = rounds_.find(round.round);
    if (found == rounds_.end()) return;
    for (const auto& [rank, entry] : found->second.entries) {
        if (entry.share->segment->tmpl.parent != round.parent) continue;
        if (round.included.contains(entry.share->outcome.template_hash)) continue;
        candidates.emplace_back(Rank{rank.pay * factor, rank.bytes, rank.arrival}, entry.share);
    }
}

std::vector<SharePool::Share> SharePool::best(std::vector<Candidate> candidates,
                                              const ShareBudget& budget) {
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return BetterRank{}(a.first, b.first);
    });
    std::vector<Share> taken;
    std::size_t left = budget.bytes;
    for (const auto& [rank, share] : candidates) {
        if (taken.size() == budget.shares) break;
        if (share->outcome.size_bytes > left) continue;
        left -= share->outcome.size_bytes;
        taken.push_back(share);
    }
    return taken;
}

std::vector<SharePool::Share> SharePool::listed(const OpenRound& round,
                                                const ShareBudget& budget) const {
    std::vector<Candidate> candidates;
    if (round.round + 1 == next_height_) collect(round, 1, candidates);
    return best(std::move(candidates), {budget.bytes, std::min(budget.shares, kMaxListedSegments)});
}

std::vector<SharePool::Share> SharePool::late(std::span<const OpenRound> rounds,
                                              const ShareBudget& budget) const {
    std::vector<Candidate> candidates;
    for (const OpenRound& round : rounds) {
        const std::uint32_t late = lateness(round.round);
        if (late == 0 || late > kMaxLateness) continue;
        collect(round, kMaxLateness + 1 - late, candidates);
    }
    return best(std::move(candidates), budget);
}

SharePool::Share SharePool::find(const Hash256& id) const {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return nullptr;
    const auto& [round, rank] = found->second;
    return rounds_.at(round).entries.at(rank).share;
}

std::vector<Hash256> SharePool::ids(std::size_t most) const {
    std::vector<Hash256> ids;
    for (auto round = rounds_.rbegin(); round != rounds_.rend(); ++round) {
        for (const auto& [rank, entry] : round->second.entries) {
            if (ids.size() == most) return ids;
            ids.push_back(entry.share->outcome.id);
        }
    }
    return ids;
}

SharePool::Share SharePool::find_lane(const Hash256& template_hash) const {
    const auto found = lanes_.find(template_hash);
    return found == lanes_.end() ? nullptr : find(found->second);
}

void SharePool::check_invariants() const {
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (const auto& [number, round] : rounds_) {
        CHECK(!round.entries.empty() && lateness(number) <= kMaxLateness);
        CHECK(round.entries.size() <= limits_.round_shares && round.bytes <= limits_.round_bytes);
        std::map<PublicKey, Sums> miners;
        for (const auto& [rank, entry] : round.entries) {
            CHECK(by_id_.at(entry.share->outcome.id).first == number);
            CHECK(find(entry.share->outcome.id) == entry.share);
            CHECK(lanes_.at(entry.share->outcome.template_hash) == entry.share->outcome.id);
            miners[entry.share->outcome.miner].count += 1;
            miners[entry.share->outcome.miner].bytes += entry.bytes;
            bytes += entry.bytes;
            count += 1;
        }
        CHECK(miners.size() == round.miners.size());
        for (const auto& [miner, sums] : miners) {
            const Sums& kept = round.miners.at(miner);
            CHECK(kept.count == sums.count && kept.bytes == sums.bytes);
            CHECK(miner == own_ ||
                  (sums.count <= limits_.miner_shares && sums.bytes <= limits_.miner_bytes));
        }
    }
    CHECK(count == by_id_.size() && count == lanes_.size() && bytes == size_bytes_);
    CHECK(bytes <= limits_.total_bytes);
}

}  // namespace gradient::chain
