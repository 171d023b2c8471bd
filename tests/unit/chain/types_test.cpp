#include "chain/base/codec.hpp"
#include "chain/base/merkle.hpp"
#include "chain/types/block.hpp"
#include "chain/types/data.hpp"
#include "chain/types/header.hpp"
#include "chain/types/segment.hpp"
#include "chain/types/task.hpp"

#include <gtest/gtest.h>

#include <set>

namespace gradient::chain {
namespace {

Hash256 hash_of(std::uint8_t value) {
    Hash256 hash;
    hash.bytes.fill(value);
    return hash;
}

Template some_template() {
    Template tmpl;
    tmpl.height = 0x0102030405060708;
    tmpl.parent = hash_of(1);
    tmpl.time_ms = 0x1112131415161718;
    tmpl.bits = 0x1d00ffff;
    tmpl.settle_root = hash_of(2);
    tmpl.transaction_root = hash_of(3);
    tmpl.state_root = hash_of(4);
    tmpl.history_root = hash_of(5);
    tmpl.task = 0x21222324;
    tmpl.miner.bytes.fill(6);
    tmpl.lane = 0x31323334;
    return tmpl;
}

Header some_header() {
    return {some_template(), 0x41424344, hash_of(7)};
}

SegmentBody some_body() {
    SegmentBody body;
    body.digests = {hash_of(8), hash_of(9), hash_of(10)};
    body.openings = {{1, {0, {}, {255}}}, {3, {-5, hash_of(11), {0, 1, 2}}}};
    body.signature.bytes.fill(12);
    return body;
}

Block some_block() {
    const Segment segment{some_template(), {hash_of(13)}, some_body()};
    return {some_header(), {segment}, {{ShareTransaction{segment}}}, some_body()};
}

TaskRecord some_task() {
    TaskRecord task;
    task.id = 1;
    task.shape.rows = 16;
    task.shape.x_exponent = -8;
    task.data_root = hash_of(14);
    task.data_bytes = 100'000;
    task.initial_seed = hash_of(15);
    task.unit_budget = 1'000'000;
    task.pay_per_hit = Amount::of_coins(3);
    return task;
}

template <class T>
void expect_exact(const T& value) {
    const Bytes bytes = encode(value);
    const auto decoded = decode_exact<T>(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, value);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto short_of = decode_exact<T>(ByteSpan(bytes).first(size));
        ASSERT_FALSE(short_of.has_value()) << size;
        EXPECT_EQ(short_of.error(), CodecError::truncated) << size;
    }
    Bytes longer = bytes;
    longer.push_back(0);
    const auto trailing = decode_exact<T>(longer);
    ASSERT_FALSE(trailing.has_value());
    EXPECT_EQ(trailing.error(), CodecError::trailing_bytes);
}

TEST(Types, encode_and_decode_exactly) {
    expect_exact(some_template());
    expect_exact(some_header());
    expect_exact(some_body());
    expect_exact(Segment{some_template(), {hash_of(1), hash_of(2)}, some_body()});
    expect_exact(WorkEvidence{hash_of(1), {42, hash_of(2), {255, 255}}});
    expect_exact(some_block());
    expect_exact(some_task());
}

TEST(Types, have_the_sizes_of_the_specification) {
    EXPECT_EQ(encode(some_template()).size(), 224U);
    EXPECT_EQ(encode(some_header()).size(), 260U);
    EXPECT_EQ(encode(some_task()).size(), 126U);
    EXPECT_EQ(encode(AttentionShape{}).size(), 31U);
}

TEST(Types, pin_the_bytes_of_a_header) {
    const auto fill = [](const char* digits) {
        std::string text;
        for (int i = 0; i < 32; ++i) text += digits;
        return text;
    };
    EXPECT_EQ(to_hex(encode(some_header())),
              "01000000"
              "0807060504030201" +
                  fill("01") +
                  "1817161514131211"
                  "ffff001d" +
                  fill("02") + fill("03") + fill("04") + fill("05") + "24232221" + fill("06") +
                  "34333231"
                  "44434241" +
                  fill("07"));
}

TEST(Types, every_bit_of_a_header_changes_its_ids) {
    const Header header = some_header();
    const Bytes bytes = encode(header);
    std::set<Hash256> ids{header_id(header)};
    std::set<Hash256> templates{template_hash(header.tmpl)};
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        Bytes flipped = bytes;
        flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
        const auto other = decode_exact<Header>(flipped);
        ASSERT_TRUE(other.has_value());
        EXPECT_TRUE(ids.insert(header_id(*other)).second) << bit;
        templates.insert(template_hash(other->tmpl));
    }
    EXPECT_EQ(templates.size(), 1 + 8 * Template::kEncodedSize);
}

TEST(Types, identities_of_different_kinds_never_meet) {
    const Header header = some_header();
    const Hash256 lane = template_hash(header.tmpl);
    const std::set<Hash256> ids{lane, header_id(header), segment_id(lane, header.last_digest),
                                segment_message(lane, header.units, header.last_digest),
                                segment_message(lane, header.units + 1, header.last_digest)};
    EXPECT_EQ(ids.size(), 5U);
}

TEST(Types, refuse_lists_above_their_limits_before_reading_them) {
    const auto with_count = [](std::uint64_t count) {
        Writer writer;
        write_compact(writer, count);
        return std::move(writer).take();
    };
    EXPECT_EQ(decode_exact<SegmentBody>(with_count(kMaxUnits + 1)).error(), CodecError::too_large);
    EXPECT_EQ(decode_exact<SegmentBody>(with_count(kMaxUnits)).error(), CodecError::truncated);

    Bytes openings = with_count(0);
    const Bytes count = with_count(kMaxOpenings + 1);
    openings.insert(openings.end(), count.begin(), count.end());
    EXPECT_EQ(decode_exact<SegmentBody>(openings).error(), CodecError::too_large);

    Writer state;
    encode_into(state, std::int64_t{0});
    encode_into(state, Hash256{});
    write_compact(state, kMaxDeltaBytes + 1);
    EXPECT_EQ(decode_exact<CodedState>(state.bytes()).error(), CodecError::too_large);

    Bytes segment = encode(some_template());
    const Bytes listed = with_count(kMaxListedSegments + 1);
    segment.insert(segment.end(), listed.begin(), listed.end());
    EXPECT_EQ(decode_exact<Segment>(segment).error(), CodecError::too_large);

    EXPECT_EQ(decode_exact<PublishData>(with_count(kDataChunkBytes + 1)).error(),
              CodecError::too_large);
}

TEST(Types, a_task_of_unknown_kind_does_not_decode) {
    Bytes bytes = encode(some_task());
    bytes[4] = 2;  // kind
    EXPECT_EQ(decode_exact<TaskRecord>(bytes).error(), CodecError::bad_value);
    bytes = encode(some_task());
    bytes[6 + AttentionShape::kEncodedSize] = 0;  // data format
    EXPECT_EQ(decode_exact<TaskRecord>(bytes).error(), CodecError::bad_value);
}

TEST(Types, a_task_digest_commits_to_every_byte) {
    const Bytes bytes = encode(some_task());
    std::set<Hash256> digests{task_digest(some_task())};
    std::size_t decodable = 1;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Bytes flipped = bytes;
        flipped[i] ^= 1;
        const auto other = decode_exact<TaskRecord>(flipped);
        if (!other) continue;
        ++decodable;
        digests.insert(task_digest(*other));
    }
    EXPECT_EQ(digests.size(), decodable);
    EXPECT_GT(decodable, 100U);
}

TEST(Data, is_cut_into_chunks_of_64_kib) {
    Bytes data(2 * kDataChunkBytes + 1);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 7);
    ASSERT_EQ(chunk_count(data.size()), 3U);
    EXPECT_EQ(chunk_count(data.size() - 1), 2U);
    EXPECT_EQ(chunk_count(0), 0U);
    EXPECT_EQ(chunk_of(data, 1).size(), kDataChunkBytes);
    EXPECT_EQ(chunk_of(data, 2).size(), 1U);
    const std::vector<Hash256> ids{chunk_id(chunk_of(data, 0)), chunk_id(chunk_of(data, 1)),
                                   chunk_id(chunk_of(data, 2))};
    EXPECT_EQ(data_root(data), merkle_root(ids));
    const Hash256 root = data_root(data);
    data.back() ^= 1;
    EXPECT_NE(data_root(data), root);
    EXPECT_EQ(data_root({}), merkle_root({}));
}

TEST(Block, transaction_root_commits_to_content_and_order) {
    const Transaction a{SignedTransaction{1, {}, 0, {}, Transfer{}, {}}};
    const Transaction b{SignedTransaction{2, {}, 0, {}, Transfer{}, {}}};
    const std::vector<Transaction> ab{a, b};
    const std::vector<Transaction> ba{b, a};
    EXPECT_NE(transaction_root(ab), transaction_root(ba));
    EXPECT_NE(transaction_root(ab), transaction_root({}));
    EXPECT_EQ(transaction_root({}), merkle_root({}));
}

}  // namespace
}  // namespace gradient::chain
