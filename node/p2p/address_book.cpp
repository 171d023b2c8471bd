#include "node/p2p/address_book.hpp"

#include "chain/base/hash.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gradient::node {

namespace ip = boost::asio::ip;

namespace {

// A claim of the future by more than this is a lie or a wrong clock.
constexpr std::uint64_t kClockTolerance = 10 * 60;
// What such a claim is taken for.
constexpr std::uint64_t kUnbelievedAge = 5 * 24 * 3600;
// One being tried is left in peace for so long.
constexpr std::uint64_t kTryTime = 60;

// Uses of the salt. Never renumber: books are stored.
enum class Use : std::uint8_t { source_share, fresh_bucket, tried_share, tried_bucket, place };

std::uint64_t age(UnixSeconds then, UnixSeconds now) noexcept {
    return now > then ? now - then : 0;
}

std::uint64_t seconds(std::chrono::seconds time) noexcept {
    return static_cast<std::uint64_t>(time.count());
}

Endpoint normal(const Endpoint& endpoint) noexcept {
    return {ip_address(ip_bytes(endpoint.address())), endpoint.port()};
}

// What a source of addresses is counted as.
ShareGroup source_group(const ip::address& source) noexcept {
    return share_group({source, 0});
}

std::array<std::uint8_t, 18> bytes_of(const Endpoint& endpoint) noexcept {
    std::array<std::uint8_t, 18> bytes{};
    const IpBytes address = ip_bytes(endpoint.address());
    std::copy(address.begin(), address.end(), bytes.begin());
    bytes[16] = static_cast<std::uint8_t>(endpoint.port() >> 8U);
    bytes[17] = static_cast<std::uint8_t>(endpoint.port() & 0xffU);
    return bytes;
}

std::array<std::uint8_t, 8> little_endian(std::uint64_t value) noexcept {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(value >> (8 * i) & 0xffU);
    }
    return bytes;
}

// When an address was last seen, as far as it is believed.
UnixSeconds believed(std::uint64_t claimed_s, bool is_hearsay, UnixSeconds now) noexcept {
    if (claimed_s > now + kClockTolerance) claimed_s = now - std::min(now, kUnbelievedAge);
    const std::uint64_t penalty = is_hearsay ? seconds(kHearsayPenalty) : 0;
    return std::min(claimed_s, now) - std::min({claimed_s, now, penalty});
}

AddressRecord record_of(const KnownAddress& known) noexcept {
    return {ip_bytes(known.endpoint.address()), known.endpoint.port(), known.services,
            known.last_seen_s};
}

}  // namespace

bool is_hopeless(const KnownAddress& known, UnixSeconds now) noexcept {
    if (known.last_try_s != 0 && age(known.last_try_s, now) < kTryTime) return false;
    if (age(known.last_seen_s, now) > seconds(kAddressLifetime)) return true;
    if (known.last_success_s == 0) return known.failures >= kMaxFirstFailures;
    return known.failures >= kMaxFailures &&
           age(known.last_success_s, now) >= seconds(kFailingTime);
}

bool is_due(const KnownAddress& known, UnixSeconds now) noexcept {
    // A clock that went back must not silence an address for long.
    if (known.last_try_s == 0 || known.last_try_s > now + kClockTolerance) return true;
    constexpr std::uint32_t kMostDoublings = 16;
    const std::uint32_t doublings = std::max(known.failures, known.refusals);
    const std::uint64_t delay = std::min(
        seconds(kRetryDelay) << std::min(doublings, kMostDoublings), seconds(kMaxRetryDelay));
    return now >= known.last_try_s + delay;
}

AddressBook::AddressBook(const chain::Hash256& salt, const chain::Hash256& seed)
    : salt_(salt),
      dice_(seed),
      fresh_(kFreshBuckets * kBucketSize),
      tried_(kTriedBuckets * kBucketSize) {}

std::uint64_t AddressBook::keyed(std::uint8_t use, chain::ByteSpan a, chain::ByteSpan b) const {
    static const chain::TaggedHasher kHasher("gradient/address-book");
    // Each use has its own lengths.
    const chain::Hash256 digest = kHasher(salt_, chain::ByteSpan(&use, 1), a, b);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value |= std::uint64_t{digest.bytes[i]} << (8 * i);
    return value;
}

std::size_t AddressBook::place_of(const KnownAddress& known) const {
    const auto hash = [&](Use use, chain::ByteSpan a, chain::ByteSpan b) {
        return keyed(static_cast<std::uint8_t>(use), a, b);
    };
    const ShareGroup group = share_group(known.endpoint);
    const auto address = bytes_of(known.endpoint);
    std::uint64_t bucket = 0;
    if (known.is_tried) {
        const auto share =
            little_endian(hash(Use::tried_share, address, {}) % kTriedBucketsPerGroup);
        bucket = hash(Use::tried_bucket, group, share) % kTriedBuckets;
    } else {
        const ShareGroup source = source_group(known.source);
        const auto share =
            little_endian(hash(Use::source_share, group, source) % kFreshBucketsPerSource);
        bucket = hash(Use::fresh_bucket, source, share) % kFreshBuckets;
    }
    const auto number = little_endian(bucket << 1U | (known.is_tried ? 1U : 0U));
    return bucket * kBucketSize + hash(Use::place, number, address) % kBucketSize;
}

void AddressBook::erase(Entries::iterator entry) {
    const KnownAddress& known = entry->second;
    const KnownAddress*& place = table_of(known)[place_of(known)];
    if (place == &known) place = nullptr;
    if (known.is_tried) --tried_count_;
    std::erase(contested_, known.endpoint);
    entries_.erase(entry);
}

// Into the table that `known` names. What stands in its place goes if it is hopeless.
bool AddressBook::insert(KnownAddress known, UnixSeconds now) {
    const std::size_t place = place_of(known);
    Table& table = table_of(known);
    if (const KnownAddress* const old = table[place]) {
        if (!is_hopeless(*old, now)) return false;
        erase(entries_.find(old->endpoint));
    }
    const Endpoint endpoint = known.endpoint;
    const auto [entry, is_new] = entries_.emplace(endpoint, std::move(known));
    if (!is_new) return false;
    table[place] = &entry->second;
    if (entry->second.is_tried) ++tried_count_;
    return true;
}

std::size_t AddressBook::add(const ip::address& source, std::span<const AddressRecord> records,
                             UnixSeconds now) {
    std::size_t added = 0;
    for (const AddressRecord& record : records) {
        const Endpoint endpoint = endpoint_of(record);
        if (record.port == 0 || !is_shared_with(endpoint.address(), source)) continue;
        const bool is_hearsay = ip_bytes(endpoint.address()) != ip_bytes(source);
        const UnixSeconds seen = believed(record.last_seen_s, is_hearsay, now);
        if (age(seen, now) > seconds(kAddressLifetime)) continue;
        if (const auto found = entries_.find(endpoint); found != entries_.end()) {
            found->second.last_seen_s = std::max(found->second.last_seen_s, seen);
            found->second.services |= record.services;
            continue;
        }
        KnownAddress known;
        known.endpoint = endpoint;
        known.source = ip_address(ip_bytes(source));
        known.services = record.services;
        known.last_seen_s = seen;
        if (insert(std::move(known), now)) ++added;
    }
    return added;
}

bool AddressBook::restore(KnownAddress known) {
    known.endpoint = normal(known.endpoint);
    known.source = ip_address(ip_bytes(known.source));
    const bool is_usable =
        known.endpoint.port() != 0 && reach_of(known.endpoint.address()) != Reach::nowhere;
    if (!is_usable || entries_.contains(known.endpoint)) return false;
    return insert(std::move(known), 0);
}

void AddressBook::mark_trying(const Endpoint& endpoint, UnixSeconds now) {
    const auto found = entries_.find(normal(endpoint));
    if (found != entries_.end()) found->second.last_try_s = now;
}

void AddressBook::mark_failed(const Endpoint& endpoint, UnixSeconds now) {
    const auto found = entries_.find(normal(endpoint));
    if (found == entries_.end()) return;
    found->second.last_try_s = now;
    if (found->second.failures < kMaxFailures) ++found->second.failures;
    std::erase(contested_, found->first);
}

void AddressBook::mark_refused(const Endpoint& endpoint, UnixSeconds now) {
    const auto found = entries_.find(normal(endpoint));
    if (found == entries_.end()) return;
    found->second.last_try_s = now;
    found->second.last_seen_s = now;
    if (found->second.refusals < kMaxFailures) ++found->second.refusals;
    std::erase(contested_, found->first);
}

void AddressBook::mark_seen(const Endpoint& endpoint, UnixSeconds now) {
    const auto found = entries_.find(normal(endpoint));
    if (found != entries_.end()) found->second.last_seen_s = now;
}

void AddressBook::remove(const Endpoint& endpoint) {
    const auto found = entries_.find(normal(endpoint));
    if (found != entries_.end()) erase(found);
}

void AddressBook::mark_connected(const Endpoint& endpoint, std::uint32_t services,
                                 UnixSeconds now) {
    KnownAddress known;
    known.endpoint = normal(endpoint);
    known.source = known.endpoint.address();
    const auto found = entries_.find(known.endpoint);
    if (found != entries_.end()) known = found->second;
    known.services = services;
    known.last_seen_s = now;
    known.last_try_s = now;
    known.last_success_s = now;
    known.failures = 0;
    known.refusals = 0;
    std::erase(contested_, known.endpoint);
    if (!known.is_tried) {
        place_in_tried(std::move(known), now);
    } else {
        found->second = std::move(known);
    }
}

// One there that has failed since it last worked goes back to the fresh; a sound one stays and is
// looked after soon, and the newcomer is left among the fresh.
void AddressBook::place_in_tried(KnownAddress known, UnixSeconds now) {
    const auto found = entries_.find(known.endpoint);
    known.is_tried = true;
    std::optional<KnownAddress> displaced;
    if (const KnownAddress* const old = tried_[place_of(known)]) {
        if (old->failures == 0) {
            contest(old->endpoint);
            known.is_tried = false;
            if (found != entries_.end()) {
                found->second = std::move(known);
            } else {
                insert(std::move(known), now);
            }
            return;
        }
        displaced = *old;
        erase(entries_.find(old->endpoint));
    }
    if (found != entries_.end()) erase(found);
    insert(std::move(known), now);
    if (displaced) {
        displaced->is_tried = false;
        insert(std::move(*displaced), now);
    }
}

void AddressBook::contest(const Endpoint& endpoint) {
    const bool is_known =
        std::find(contested_.begin(), contested_.end(), endpoint) != contested_.end();
    if (!is_known && contested_.size() < kMaxContested) contested_.push_back(endpoint);
}

std::optional<Endpoint> AddressBook::pick_from(const Table& table, const Filter& filter,
                                               UnixSeconds now) {
    const auto fits = [&](const KnownAddress* known) {
        return known != nullptr && is_due(*known, now) && filter(known->endpoint);
    };
    std::vector<std::vector<const KnownAddress*>> buckets;
    for (std::size_t start = 0; start < table.size(); start += kBucketSize) {
        std::vector<const KnownAddress*> bucket;
        for (std::size_t i = start; i < start + kBucketSize; ++i) {
            if (fits(table[i])) bucket.push_back(table[i]);
        }
        if (!bucket.empty()) buckets.push_back(std::move(bucket));
    }
    if (buckets.empty()) return std::nullopt;
    const auto& bucket = buckets[dice_.below(buckets.size())];
    return bucket[dice_.below(bucket.size())]->endpoint;
}

std::optional<Endpoint> AddressBook::pick(const Filter& filter, UnixSeconds now) {
    const bool tried_first = dice_.below(2) == 0;
    const auto first = pick_from(tried_first ? tried_ : fresh_, filter, now);
    return first ? first : pick_from(tried_first ? fresh_ : tried_, filter, now);
}

std::optional<Endpoint> AddressBook::pick_feeler(const Filter& filter, UnixSeconds now) {
    for (const Endpoint& endpoint : contested_) {
        if (is_due(entries_.at(endpoint), now) && filter(endpoint)) return endpoint;
    }
    return pick_from(fresh_, filter, now);
}

bool AddressBook::has_sound(const Filter& filter, UnixSeconds now) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return !is_hopeless(entry.second, now) && filter(entry.first);
    });
}

std::vector<AddressRecord> AddressBook::answer(const ip::address& asker, UnixSeconds now) {
    std::vector<AddressRecord> records;
    for (const auto& [endpoint, known] : entries_) {
        if (is_hopeless(known, now) || !is_shared_with(endpoint.address(), asker)) continue;
        records.push_back(record_of(known));
    }
    const std::size_t share = std::max(kMinAnswer, records.size() * kAnswerPercent / 100);
    const std::size_t count = std::min({records.size(), share, kMaxAddressesPerMessage});
    for (std::size_t i = 0; i < count; ++i) {
        std::swap(records[i], records[i + dice_.below(records.size() - i)]);
    }
    records.resize(count);
    return records;
}

void AddressBook::expire(UnixSeconds now) {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const auto next = std::next(entry);
        const KnownAddress& known = entry->second;
        const bool is_old = age(known.last_seen_s, now) > seconds(kAddressLifetime);
        const bool is_dead = known.failures >= kMaxFailures && is_hopeless(known, now);
        if (is_old || is_dead) erase(entry);
        entry = next;
    }
}

const KnownAddress* AddressBook::find(const Endpoint& endpoint) const {
    const auto found = entries_.find(normal(endpoint));
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<KnownAddress> AddressBook::all() const {
    std::vector<KnownAddress> list;
    list.reserve(entries_.size());
    for (const auto& entry : entries_) list.push_back(entry.second);
    return list;
}

}  // namespace gradient::node
