#pragma once

// Where other nodes may be reached, after Bitcoin Core's address manager. Two tables: `fresh` of
// addresses that others have told of, `tried` of those that this node has itself connected to. Each
// is made of buckets of few places, and a secret salt decides the one place where an address may
// stand:
//
//   fresh  the group of whoever told of it has kFreshBucketsPerSource buckets, and the group of
//          the address selects one of those
//   tried  the group of the address has kTriedBucketsPerGroup buckets
//
// So whoever owns one network group can fill a sixteenth of either table, whatever he sends. What
// stands in a place gives way only to a better one: see add() and mark_connected().

#include "chain/base/bytes.hpp"
#include "node/p2p/dice.hpp"
#include "node/p2p/moment.hpp"
#include "node/p2p/net_address.hpp"
#include "node/p2p/reach.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace gradient::node {

inline constexpr std::size_t kFreshBuckets = 256;
inline constexpr std::size_t kFreshBucketsPerSource = 16;
inline constexpr std::size_t kTriedBuckets = 64;
inline constexpr std::size_t kTriedBucketsPerGroup = 4;
/// Places of a bucket.
inline constexpr std::size_t kBucketSize = 32;
/// An address nobody has seen for this long is forgotten.
inline constexpr std::chrono::seconds kAddressLifetime = std::chrono::hours(30 * 24);
/// Failures in a row after which an address that has never worked gives way to any other.
inline constexpr std::uint32_t kMaxFirstFailures = 3;
/// The same for one that has worked, if that is at least kFailingTime ago.
inline constexpr std::uint32_t kMaxFailures = 10;
inline constexpr std::chrono::seconds kFailingTime = std::chrono::hours(7 * 24);
/// Time between two tries of an address; doubled by each failure in a row up to the second.
inline constexpr std::chrono::seconds kRetryDelay{10};
inline constexpr std::chrono::seconds kMaxRetryDelay = std::chrono::hours(1);
/// What others tell of when they saw an address counts as this much older.
inline constexpr std::chrono::seconds kHearsayPenalty = std::chrono::hours(2);
/// Most of an answer to get_addresses, in hundredths of the book, and what is told in any case.
inline constexpr std::size_t kAnswerPercent = 23;
inline constexpr std::size_t kMinAnswer = 16;
/// Addresses of tried whose place another one wants; their tries decide.
inline constexpr std::size_t kMaxContested = 16;
/// Outbound peers that are dialled first at the next start.
inline constexpr std::size_t kMaxAnchors = 4;

/// What is known of an address.
struct KnownAddress {
    Endpoint endpoint;
    boost::asio::ip::address source;  ///< who told of it first
    std::uint32_t services = 0;       ///< bits of Service, as claimed
    UnixSeconds last_seen_s = 0;      ///< by anybody, as claimed
    UnixSeconds last_try_s = 0;       ///< by this node; 0: never
    UnixSeconds last_success_s = 0;   ///< of this node; 0: never
    std::uint32_t failures = 0;       ///< in a row
    std::uint32_t refusals = 0;       ///< in a row
    bool is_tried = false;            ///< in which table it stands

    friend bool operator==(const KnownAddress&, const KnownAddress&) = default;
};

/// The addresses. Deterministic given the salt and the calls. Not thread-safe.
class AddressBook {
  public:
    /// Whether an address may be picked.
    using Filter = std::function<bool(const Endpoint&)>;

    /// `salt`: secret and always the same for one book; `seed`: secret and new at each start.
    AddressBook(const chain::Hash256& salt, const chain::Hash256& seed);
    AddressBook(AddressBook&&) = default;
    AddressBook& operator=(AddressBook&&) = default;
    AddressBook(const AddressBook&) = delete;
    AddressBook& operator=(const AddressBook&) = delete;
    ~AddressBook() = default;

    /// Takes what `source` tells; says how many of the addresses are new. Not taken: addresses that
    /// mean nothing where the source is (is_shared_with), without a port, too old, or whose place a
    /// sound one has.
    std::size_t add(const boost::asio::ip::address& source, std::span<const AddressRecord> records,
                    UnixSeconds now);

    /// A connection is being tried, has come to nothing, or stands and is one of this network. A
    /// sound one of tried keeps its place until it fails; the newcomer stays among the fresh.
    void mark_trying(const Endpoint& endpoint, UnixSeconds now);
    void mark_failed(const Endpoint& endpoint, UnixSeconds now);
    void mark_connected(const Endpoint& endpoint, std::uint32_t services, UnixSeconds now);
    /// It is a node of this network but will not have us, or we not it: no failure, but some rest.
    void mark_refused(const Endpoint& endpoint, UnixSeconds now);
    /// A connection to it ends in order, or goes on.
    void mark_seen(const Endpoint& endpoint, UnixSeconds now);
    /// It is of another network, or of this very node.
    void remove(const Endpoint& endpoint);

    /// One to connect to, whose last try is long enough ago. By bucket first: many addresses in few
    /// buckets are no more likely than few.
    [[nodiscard]] std::optional<Endpoint> pick(const Filter& filter, UnixSeconds now);
    /// One to look after: a contested one, or a fresh one.
    [[nodiscard]] std::optional<Endpoint> pick_feeler(const Filter& filter, UnixSeconds now);
    /// Whether there is any sound one that passes, its last try however short ago.
    [[nodiscard]] bool has_sound(const Filter& filter, UnixSeconds now) const;

    /// A random share of the sound ones, for somebody at `asker`.
    [[nodiscard]] std::vector<AddressRecord> answer(const boost::asio::ip::address& asker,
                                                    UnixSeconds now);

    /// Forgets what is too old or fails too often.
    void expire(UnixSeconds now);

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t tried() const noexcept { return tried_count_; }
    [[nodiscard]] const KnownAddress* find(const Endpoint& endpoint) const;
    /// Every address, in their order.
    [[nodiscard]] std::vector<KnownAddress> all() const;
    [[nodiscard]] const chain::Hash256& salt() const noexcept { return salt_; }

    /// Puts back what all() has given; false if its place is taken.
    bool restore(KnownAddress known);

  private:
    // Buckets of one table; 0: nothing stands there.
    using Table = std::vector<const KnownAddress*>;
    using Entries = std::map<Endpoint, KnownAddress>;

    [[nodiscard]] std::uint64_t keyed(std::uint8_t use, chain::ByteSpan a, chain::ByteSpan b) const;
    [[nodiscard]] std::size_t place_of(const KnownAddress& known) const;
    [[nodiscard]] Table& table_of(const KnownAddress& known) {
        return known.is_tried ? tried_ : fresh_;
    }
    bool insert(KnownAddress known, UnixSeconds now);
    void erase(Entries::iterator entry);
    void place_in_tried(KnownAddress known, UnixSeconds now);
    void contest(const Endpoint& endpoint);
    std::optional<Endpoint> pick_from(const Table& table, const Filter& filter, UnixSeconds now);

    chain::Hash256 salt_;
    Dice dice_;
    Entries entries_;
    Table fresh_;
    Table tried_;
    std::size_t tried_count_ = 0;
    std::deque<Endpoint> contested_;
};

/// Whether an address gives way to any other and is told to nobody.
[[nodiscard]] bool is_hopeless(const KnownAddress& known, UnixSeconds now) noexcept;

/// Whether an address may be tried again.
[[nodiscard]] bool is_due(const KnownAddress& known, UnixSeconds now) noexcept;

}  // namespace gradient::node
