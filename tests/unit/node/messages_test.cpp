#include "node/p2p/messages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace gradient::node {
namespace {

using chain::Bytes;
using chain::CodecError;

// Every message with its lists full and its numbers not zero.
template <std::size_t kIndex = 0, class Visit>
void for_each_type(Visit visit) {
    if constexpr (kIndex < kMessageTypes) {
        visit(Message(std::in_place_index<kIndex>));
        for_each_type<kIndex + 1>(visit);
    }
}

chain::ByteSpan payload_of(const Bytes& frame) {
    return chain::ByteSpan(frame).subspan(kFrameHeaderBytes);
}

TEST(Messages, every_type_survives_the_way_there_and_back) {
    for_each_type([](const Message& message) {
        const Bytes frame = encode_frame(message);
        ASSERT_GE(frame.size(), kFrameHeaderBytes);
        EXPECT_EQ(frame[4], message.index());
        EXPECT_LE(frame.size() - kFrameHeaderBytes, *max_payload_bytes(frame[4]));
        const auto back = decode_payload(frame[4], payload_of(frame));
        ASSERT_TRUE(back) << message_name(frame[4]);
        EXPECT_EQ(*back, message) << message_name(frame[4]);
    });
}

TEST(Messages, refuse_a_byte_too_many_and_one_too_few) {
    for_each_type([](const Message& message) {
        Bytes frame = encode_frame(message);
        frame.push_back(0);
        EXPECT_EQ(decode_payload(frame[4], payload_of(frame)).error(), CodecError::trailing_bytes)
            << message_name(frame[4]);
        frame.pop_back();
        if (frame.size() == kFrameHeaderBytes) return;
        frame.pop_back();
        EXPECT_FALSE(decode_payload(frame[4], payload_of(frame))) << message_name(frame[4]);
    });
}

TEST(Messages, refuse_types_that_do_not_exist) {
    EXPECT_EQ(max_payload_bytes(kMessageTypes), std::nullopt);
    EXPECT_EQ(decode_payload(kMessageTypes, {}).error(), CodecError::bad_value);
    EXPECT_EQ(decode_payload(255, {}).error(), CodecError::bad_value);
}

// A full list of the widest elements is within its type's limit: no honest message is refused.
TEST(Messages, limits_hold_full_lists) {
    const auto size = [](const Message& message) {
        return encode_frame(message).size() - kFrameHeaderBytes;
    };
    const auto most = [](const Message& message) {
        return *max_payload_bytes(static_cast<std::uint8_t>(message.index()));
    };
    Hello hello;
    hello.agent = std::string(kMaxAgentBytes, 'a');
    Headers headers;
    headers.headers.resize(kMaxHeadersPerMessage);
    Addresses addresses;
    addresses.addresses.resize(kMaxAddressesPerMessage);
    Inventory inventory;
    inventory.items.resize(kMaxInventoryItems);
    GetParts parts;
    parts.listed.resize(chain::kMaxListedSegments);
    parts.transactions.resize(chain::kMaxTransactions);
    SnapshotOffer offer;
    offer.parts.resize(kMaxSnapshotParts);
    GetSamples samples;
    samples.works.resize(kMaxSamplesPerMessage);
    for (const Message& message :
         {Message(hello), Message(headers), Message(addresses), Message(inventory), Message(parts),
          Message(offer), Message(samples)}) {
        EXPECT_LE(size(message), most(message))
            << message_name(static_cast<std::uint8_t>(message.index()));
    }
}

// The first bytes of a frame are for ever; node/SPEC.md shows the same ones.
TEST(Messages, pin_the_wire_form) {
    EXPECT_EQ(chain::to_hex(encode_frame(Pong{0x0102030405060708})), "08000000020807060504030201");
    EXPECT_EQ(chain::to_hex(encode_frame(Goodbye{GoodbyeReason::too_slow})), "010000000307");
    EXPECT_EQ(chain::to_hex(encode_frame(GetSnapshot{})), "000000001a");
}

}  // namespace
}  // namespace gradient::node
