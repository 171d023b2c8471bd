#pragma once

// What peers say to one another (node/SPEC.md). A message travels as one frame:
//
//   frame    length u32 of the payload, type u8, payload
//   type     index of the message in `Message`. Never reorder.
//   payload  the message's fields, in the encoding of chain/base/codec.hpp; no byte is left over

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/light/history_sample.hpp"
#include "chain/light/standalone_evidence.hpp"
#include "chain/types/block.hpp"
#include "chain/types/header.hpp"
#include "chain/types/limits.hpp"
#include "chain/types/segment.hpp"
#include "chain/types/transaction.hpp"
#include "node/p2p/limits.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gradient::node {

/// Version of this protocol; nodes of different versions part at once.
inline constexpr std::uint32_t kProtocolVersion = 1;

/// What a node offers, as bits of Hello::services.
enum class Service : std::uint32_t {
    full_history = 1U << 0U,  ///< every block of the active chain, whole
    evidence = 1U << 1U,      ///< standalone work evidence of every header
    snapshot = 1U << 2U,      ///< a snapshot of the state
};

/// A chain's end, as its holder claims it.
struct TipClaim {
    static constexpr std::size_t kEncodedSize = 72;
    std::uint64_t height = 0;
    chain::Hash256 id;
    chain::U256 cumulative_work;

    friend bool operator==(const TipClaim&, const TipClaim&) = default;
    static auto fields(auto& self) { return std::tie(self.height, self.id, self.cumulative_work); }
};

/// The first message of both sides.
struct Hello {
    std::uint32_t protocol_version = kProtocolVersion;
    std::uint32_t network_id = 0;
    chain::Hash256 genesis;
    std::uint32_t services = 0;     ///< bits of Service
    std::uint64_t time_ms = 0;      ///< the sender's clock; for its user's eyes only
    std::uint16_t listen_port = 0;  ///< where it takes connections; 0: nowhere
    TipClaim tip;
    std::string agent;  ///< program and version

    friend bool operator==(const Hello&, const Hello&) = default;
    static auto fields(auto& self) {
        return chain::field_list(self.protocol_version, self.network_id, self.genesis,
                                 self.services, self.time_ms, self.listen_port, self.tip,
                                 chain::bounded<kMaxAgentBytes>(self.agent));
    }
};

/// Answered by Pong with the same nonce.
struct Ping {
    std::uint64_t nonce = 0;
    TipClaim tip;  ///< the sender's: blocks that it had from us it does not announce to us
    friend bool operator==(const Ping&, const Ping&) = default;
    static auto fields(auto& self) { return std::tie(self.nonce, self.tip); }
};

struct Pong {
    std::uint64_t nonce = 0;
    friend bool operator==(const Pong&, const Pong&) = default;
    static auto fields(auto& self) { return std::tie(self.nonce); }
};

/// Why a connection ends. Never renumber.
enum class GoodbyeReason : std::uint8_t {
    shutdown = 0,           // the node stops
    wrong_network = 1,      // another network, genesis or protocol version
    self = 2,               // a node has called itself
    already_connected = 3,  // there is a connection between the two already
    too_many_peers = 4,     // no room
    banned = 5,             // the peer has misbehaved before
    misbehaviour = 6,       // the peer has misbehaved
    too_slow = 7,           // the peer does not read what it asked for
    timeout = 8,            // the peer was silent for too long
};
[[nodiscard]] constexpr bool is_known_value(GoodbyeReason reason) noexcept {
    return reason <= GoodbyeReason::timeout;
}

/// The last message of whoever ends the connection in order.
struct Goodbye {
    GoodbyeReason reason = GoodbyeReason::shutdown;
    friend bool operator==(const Goodbye&, const Goodbye&) = default;
    static auto fields(auto& self) { return std::tie(self.reason); }
};

struct GetAddresses {
    friend bool operator==(const GetAddresses&, const GetAddresses&) = default;
    static auto fields(auto&) { return std::tuple<>(); }
};

/// Where a node takes connections. IPv4 addresses are mapped (::ffff:a.b.c.d).
struct AddressRecord {
    static constexpr std::size_t kEncodedSize = 30;
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;
    std::uint32_t services = 0;
    std::uint64_t last_seen_s = 0;  ///< seconds since 1970

    friend bool operator==(const AddressRecord&, const AddressRecord&) = default;
    static auto fields(auto& self) {
        return std::tie(self.ip, self.port, self.services, self.last_seen_s);
    }
};

struct Addresses {
    std::vector<AddressRecord> addresses;
    friend bool operator==(const Addresses&, const Addresses&) = default;
    static auto fields(auto& self) {
        return chain::field_list(chain::bounded<kMaxAddressesPerMessage>(self.addresses));
    }
};

/// The sender's tip has changed.
struct Announce {
    chain::Header header;
    chain::U256 cumulative_work;  ///< with this block

    friend bool operator==(const Announce&, const Announce&) = default;
    static auto fields(auto& self) { return std::tie(self.header, self.cumulative_work); }
};

/// Asks for the headers of the active chain above the first id that the other side has on it.
struct GetHeaders {
    std::vector<chain::Hash256> locator;  ///< newest first; genesis is understood at its end
    friend bool operator==(const GetHeaders&, const GetHeaders&) = default;
    static auto fields(auto& self) {
        return chain::field_list(chain::bounded<kMaxLocatorIds>(self.locator));
    }
};

/// The answer, heights ascending without a gap; empty: there are none.
struct Headers {
    std::vector<chain::Header> headers;
    friend bool operator==(const Headers&, const Headers&) = default;
    static auto fields(auto& self) {
        return chain::field_list(chain::bounded<kMaxHeadersPerMessage>(self.headers));
    }
};

/// Asks for a whole block. Answered by BlockMessage or NotFound.
struct GetBlock {
    chain::Hash256 id;
    friend bool operator==(const GetBlock&, const GetBlock&) = default;
    static auto fields(auto& self) { return std::tie(self.id); }
};

struct BlockMessage {
    chain::Block block;
    friend bool operator==(const BlockMessage&, const BlockMessage&) = default;
    static auto fields(auto& self) { return std::tie(self.block); }
};

/// Kinds of things that are known by their ids. Never renumber.
enum class ItemKind : std::uint8_t {
    transaction = 0,  ///< a signed transaction: id of the transaction
    share = 1,        ///< a segment: id of the segment
    block = 2,        ///< id of the header
};
[[nodiscard]] constexpr bool is_known_value(ItemKind kind) noexcept {
    return kind <= ItemKind::block;
}

struct ItemId {
    static constexpr std::size_t kEncodedSize = 33;
    ItemKind kind = ItemKind::transaction;
    chain::Hash256 id;

    friend auto operator<=>(const ItemId&, const ItemId&) = default;
    static auto fields(auto& self) { return std::tie(self.kind, self.id); }
};

/// Asks for a block without what the asker probably has. Answered by Outline or NotFound.
struct GetOutline {
    chain::Hash256 id;
    friend bool operator==(const GetOutline&, const GetOutline&) = default;
    static auto fields(auto& self) { return std::tie(self.id); }
};

/// A block whose shares and transactions are named only.
struct Outline {
    chain::Header header;
    std::vector<chain::Hash256> listed;  ///< ids of the listed segments, in order
    std::vector<ItemId> transactions;    ///< in order; a late share by the id of its segment
    chain::SegmentBody winner;

    friend bool operator==(const Outline&, const Outline&) = default;
    static auto fields(auto& self) {
        return chain::field_list(
            self.header, chain::bounded<chain::kMaxListedSegments>(self.listed),
            chain::bounded<chain::kMaxTransactions>(self.transactions), self.winner);
    }
};

/// Asks for what an outline only named. Places ascend. Answered by Parts or NotFound.
struct GetParts {
    chain::Hash256 block;
    std::vector<std::uint32_t> listed;        ///< places in Outline::listed
    std::vector<std::uint32_t> transactions;  ///< places in Outline::transactions

    friend bool operator==(const GetParts&, const GetParts&) = default;
    static auto fields(auto& self) {
        return chain::field_list(self.block, chain::bounded<chain::kMaxListedSegments>(self.listed),
                                 chain::bounded<chain::kMaxTransactions>(self.transactions));
    }
};

struct Parts {
    chain::Hash256 block;
    std::vector<chain::Segment> listed;
    std::vector<chain::Transaction> transactions;

    friend bool operator==(const Parts&, const Parts&) = default;
    static auto fields(auto& self) {
        return chain::field_list(self.block, chain::bounded<chain::kMaxListedSegments>(self.listed),
                                 chain::bounded<chain::kMaxTransactions>(self.transactions));
    }
};

/// The sender has these transactions and shares.
struct Inventory {
    std::vector<ItemId> items;
    friend bool operator==(const Inventory&, const Inventory&) = default;
    static auto fields(auto& self) {
        return chain::field_list(chain::bounded<kMaxInventoryItems>(self.items));
    }
};

/// Asks for transactions and shares, each answered by one of the next two or named in NotFound.
struct GetItems {
    std::vector<ItemId> items;
    friend bool operator==(const GetItems&, const GetItems&) = default;
    static auto fields(auto& self) {
        return chain::field_list(chain::bounded<kMaxItemsPerRequest>(self.items));
    }
};

struct TransactionMessage {
    chain::SignedTransaction transaction;
    friend bool operator==(const TransactionMessage&, const TransactionMessage&) = default;
    static auto fields(auto& self) { return std::tie(self.transaction); }
};

struct ShareMessage {
    chain::Segment segment;
    friend bool operator==(const ShareMessage&, const ShareMessage&) = default;
    static auto fields(auto& self) { return std::tie(self.segment); }
};

/// What was asked for is not there (any more).
struct NotFound {
    std::vector<ItemId> items;
    friend bool operator==(const NotFound&, const NotFound&) = default;
    static auto fields(auto& self) {
        return chain::field_list(chain::bounded<kMaxItemsPerRequest>(self.items));
    }
};

/// Asks for the end of the chain whose tip this is, and what it stands on. Answered by Tail.
struct GetTail {
    chain::Hash256 tip;
    std::uint32_t blocks = 0;  ///< at most chain::kTailBlocks
    friend bool operator==(const GetTail&, const GetTail&) = default;
    static auto fields(auto& self) { return std::tie(self.tip, self.blocks); }
};

struct Tail {
    chain::Hash256 tip;
    std::optional<chain::HistoryTail> tail;  ///< none if the tip is not on the sender's chain
    friend bool operator==(const Tail&, const Tail&) = default;
    static auto fields(auto& self) { return std::tie(self.tip, self.tail); }
};

/// Asks for headers below a block, each with its proof against the history root of that block's
/// header. Answered by Samples.
struct GetSamples {
    chain::Hash256 anchor;
    /// Values of cumulative work: each asks for the block that takes the chain's beyond it.
    std::vector<chain::U256> works;
    friend bool operator==(const GetSamples&, const GetSamples&) = default;
    static auto fields(auto& self) {
        return chain::field_list(self.anchor, chain::bounded<kMaxSamplesPerMessage>(self.works));
    }
};

struct Samples {
    chain::Hash256 anchor;
    /// In the order of the works; none if the anchor is not on the sender's chain.
    std::vector<chain::HistorySample> samples;
    friend bool operator==(const Samples&, const Samples&) = default;
    static auto fields(auto& self) {
        return chain::field_list(self.anchor, chain::bounded<kMaxSamplesPerMessage>(self.samples));
    }
};

/// Asks for a header's work evidence. Answered by Evidence, or NotFound of the block.
struct GetEvidence {
    chain::Hash256 id;
    friend bool operator==(const GetEvidence&, const GetEvidence&) = default;
    static auto fields(auto& self) { return std::tie(self.id); }
};

struct Evidence {
    chain::Hash256 id;
    chain::StandaloneEvidence evidence;
    friend bool operator==(const Evidence&, const Evidence&) = default;
    static auto fields(auto& self) { return std::tie(self.id, self.evidence); }
};

/// Asks for one chunk of a user task's data. Answered by TaskData; empty if there is none.
struct GetTaskData {
    std::uint32_t task = 0;
    std::uint32_t chunk = 0;
    friend bool operator==(const GetTaskData&, const GetTaskData&) = default;
    static auto fields(auto& self) { return std::tie(self.task, self.chunk); }
};

struct TaskData {
    std::uint32_t task = 0;
    std::uint32_t chunk = 0;
    chain::Bytes bytes;
    friend bool operator==(const TaskData&, const TaskData&) = default;
    static auto fields(auto& self) {
        return chain::field_list(self.task, self.chunk,
                                 chain::bounded<chain::kDataChunkBytes>(self.bytes));
    }
};

/// Asks for the newest snapshot that the other side serves. Answered by SnapshotOffer.
struct GetSnapshot {
    friend bool operator==(const GetSnapshot&, const GetSnapshot&) = default;
    static auto fields(auto&) { return std::tuple<>(); }
};

/// A snapshot of the state after a block of the active chain, cut into parts of
/// kSnapshotPartBytes; no parts: none is served.
struct SnapshotOffer {
    std::uint64_t height = 0;
    chain::Hash256 block;
    chain::Hash256 state_root;  ///< after the block, as the header above commits to it
    std::uint64_t size_bytes = 0;
    std::vector<chain::Hash256> parts;  ///< H("gradient/snapshot-part", part)

    friend bool operator==(const SnapshotOffer&, const SnapshotOffer&) = default;
    static auto fields(auto& self) {
        return chain::field_list(self.height, self.block, self.state_root, self.size_bytes,
                                 chain::bounded<kMaxSnapshotParts>(self.parts));
    }
};

/// Answered by SnapshotPart; an empty one if there is no such part (any more).
struct GetSnapshotPart {
    chain::Hash256 part;
    friend bool operator==(const GetSnapshotPart&, const GetSnapshotPart&) = default;
    static auto fields(auto& self) { return std::tie(self.part); }
};

struct SnapshotPart {
    chain::Hash256 part;
    chain::Bytes bytes;
    friend bool operator==(const SnapshotPart&, const SnapshotPart&) = default;
    static auto fields(auto& self) {
        return chain::field_list(self.part, chain::bounded<kSnapshotPartBytes>(self.bytes));
    }
};

/// Anything that travels between peers. The index is part of the wire form.
using Message =
    std::variant<Hello, Ping, Pong, Goodbye, GetAddresses, Addresses, Announce, GetHeaders, Headers,
                 GetBlock, BlockMessage, GetOutline, Outline, GetParts, Parts, Inventory, GetItems,
                 TransactionMessage, ShareMessage, NotFound, GetSamples, Samples, GetEvidence,
                 Evidence, GetTaskData, TaskData, GetSnapshot, SnapshotOffer, GetSnapshotPart,
                 SnapshotPart, GetTail, Tail>;

inline constexpr std::size_t kMessageTypes = std::variant_size_v<Message>;
static_assert(kMessageTypes < 256);

/// Bytes before a payload: its length and type.
inline constexpr std::size_t kFrameHeaderBytes = 5;

/// Most bytes of a payload of that type; nothing if there is no such type.
[[nodiscard]] std::optional<std::size_t> max_payload_bytes(std::uint8_t type) noexcept;

/// The message as a frame.
[[nodiscard]] chain::Bytes encode_frame(const Message& message);

/// The message of a payload.
[[nodiscard]] chain::Result<Message, chain::CodecError> decode_payload(std::uint8_t type,
                                                                       chain::ByteSpan payload);

/// Name of a message's type, for logs and counters.
[[nodiscard]] std::string_view message_name(std::uint8_t type) noexcept;

}  // namespace gradient::node
