#include "node/p2p/messages.hpp"

#include <array>
#include <limits>
#include <utility>

namespace gradient::node {

namespace {

using chain::kMaxBlockBytes;

struct TypeFacts {
    std::string_view name;
    std::size_t max_bytes;
};

// A list's length takes at most nine bytes.
constexpr std::size_t list(std::size_t most, std::size_t element) {
    return 9 + most * element;
}

// In the order of Message.
constexpr std::array<TypeFacts, kMessageTypes> kTypes{{
    {"hello", 256},
    {"ping", 8 + TipClaim::kEncodedSize},
    {"pong", 8},
    {"goodbye", 1},
    {"get_addresses", 0},
    {"addresses", list(kMaxAddressesPerMessage, AddressRecord::kEncodedSize)},
    {"announce", chain::Header::kEncodedSize + 32},
    {"get_headers", list(kMaxLocatorIds, 32)},
    {"headers", list(kMaxHeadersPerMessage, chain::Header::kEncodedSize)},
    {"get_block", 32},
    {"block", kMaxBlockBytes},
    {"get_outline", 32},
    {"outline", kMaxBlockBytes + kMessageOverhead},
    {"get_parts", 32 + list(chain::kMaxListedSegments + chain::kMaxTransactions, 4) + 9},
    {"parts", kMaxBlockBytes + kMessageOverhead},
    {"inventory", list(kMaxInventoryItems, ItemId::kEncodedSize)},
    {"get_items", list(kMaxItemsPerRequest, ItemId::kEncodedSize)},
    {"transaction", std::size_t{1} << 20U},
    {"share", kMaxBlockBytes},
    {"not_found", list(kMaxItemsPerRequest, ItemId::kEncodedSize)},
    {"get_samples", 32 + list(kMaxSamplesPerMessage, 32)},
    {"samples", std::size_t{4} << 20U},
    {"get_evidence", 32},
    {"evidence", chain::kMaxDeltaBytes + kMessageOverhead},
    {"get_task_data", 8},
    {"task_data", 8 + list(chain::kDataChunkBytes, 1)},
    {"get_snapshot", 0},
    {"snapshot_offer", 80 + list(kMaxSnapshotParts, 32)},
    {"get_snapshot_part", 32},
    {"snapshot_part", 32 + list(kSnapshotPartBytes, 1)},
    {"get_tail", 36},
    {"tail", kMessageOverhead + list(chain::kTailBlocks, chain::Header::kEncodedSize)},
}};

template <std::size_t kIndex>
chain::Result<Message, chain::CodecError> decode_as(chain::ByteSpan payload) {
    using Type = std::variant_alternative_t<kIndex, Message>;
    auto value = chain::decode_exact<Type>(payload);
    if (!value) return chain::fail(value.error());
    return Message(std::in_place_index<kIndex>, *std::move(value));
}

using Decoder = chain::Result<Message, chain::CodecError> (*)(chain::ByteSpan);

template <std::size_t... kIndices>
constexpr std::array<Decoder, kMessageTypes> decoders(std::index_sequence<kIndices...> /*all*/) {
    return {&decode_as<kIndices>...};
}

}  // namespace

std::optional<std::size_t> max_payload_bytes(std::uint8_t type) noexcept {
    if (type >= kTypes.size()) return std::nullopt;
    return kTypes[type].max_bytes;
}

chain::Bytes encode_frame(const Message& message) {
    return std::visit(
        [&](const auto& value) {
            const std::size_t size = chain::encoded_size(value);
            chain::Writer writer;
            writer.reserve(kFrameHeaderBytes + size);
            chain::write_integer(writer, static_cast<std::uint32_t>(size));
            chain::write_integer(writer, static_cast<std::uint8_t>(message.index()));
            chain::encode_into(writer, value);
            return std::move(writer).take();
        },
        message);
}

chain::Result<Message, chain::CodecError> decode_payload(std::uint8_t type,
                                                         chain::ByteSpan payload) {
    static constexpr auto kDecoders = decoders(std::make_index_sequence<kMessageTypes>());
    if (type >= kDecoders.size()) return chain::fail(chain::CodecError::bad_value);
    return kDecoders[type](payload);
}

std::string_view message_name(std::uint8_t type) noexcept {
    return type < kTypes.size() ? kTypes[type].name : "unknown";
}

}  // namespace gradient::node
