#include "chain/base/codec.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace gradient::chain {
namespace {

enum class Colour : std::uint8_t { red = 1, blue = 2 };
constexpr bool is_known_value(Colour colour) {
    return colour == Colour::red || colour == Colour::blue;
}

enum class Height : std::uint64_t {};
constexpr bool is_known_value(Height) {
    return true;
}

struct Point {
    static constexpr std::size_t kEncodedSize = 6;
    std::int16_t x = 0;
    std::uint32_t y = 0;
    friend bool operator==(const Point&, const Point&) = default;
    static auto fields(auto& self) { return std::tie(self.x, self.y); }
};

struct Everything {
    std::uint8_t byte = 0;
    std::int64_t wide = 0;
    bool flag = false;
    Colour colour = Colour::red;
    Height height{};
    Hash256 hash;
    std::array<Point, 2> pair{};
    std::vector<Point> points;
    Bytes blob;
    std::string text;
    std::optional<Point> maybe;
    std::variant<std::uint8_t, Point> either;
    std::uint32_t count = 0;

    friend bool operator==(const Everything&, const Everything&) = default;
    static auto fields(auto& self) {
        return field_list(self.byte, self.wide, self.flag, self.colour, self.height, self.hash,
                          self.pair, bounded<4>(self.points), bounded<8>(self.blob),
                          bounded<8>(self.text), self.maybe, self.either, compact(self.count));
    }
};

Everything example() {
    Everything value;
    value.byte = 7;
    value.wide = -2;
    value.flag = true;
    value.colour = Colour::blue;
    value.height = Height{9};
    value.hash.bytes[0] = 0xaa;
    value.pair = {{{-1, 1}, {2, 3}}};
    value.points = {{4, 5}};
    value.blob = {1, 2, 3};
    value.text = "hi";
    value.maybe = Point{6, 7};
    value.either = Point{8, 9};
    value.count = 300;
    return value;
}

template <class T>
CodecError error_of(std::string_view hex) {
    const auto value = decode_exact<T>(from_hex(hex).value());
    EXPECT_FALSE(value.has_value()) << hex << " decoded";
    return value ? CodecError{255} : value.error();
}

struct List {
    std::vector<Point> points;
    static auto fields(auto& self) { return field_list(bounded<3>(self.points)); }
};
struct Blob {
    Bytes bytes;
    static auto fields(auto& self) { return field_list(bounded<1'000'000'000>(self.bytes)); }
};
struct Compact8 {
    std::uint8_t value = 0;
    static auto fields(auto& self) { return field_list(compact(self.value)); }
};
struct Compact64 {
    std::uint64_t value = 0;
    static auto fields(auto& self) { return field_list(compact(self.value)); }
};
struct Choice {
    std::optional<std::uint8_t> maybe;
    static auto fields(auto& self) { return std::tie(self.maybe); }
};

TEST(Codec, first_bytes_are_as_the_grammar_says) {
    EXPECT_EQ(to_hex(encode(std::uint32_t{0x01020304})), "04030201");
    EXPECT_EQ(to_hex(encode(std::int16_t{-2})), "feff");
    EXPECT_EQ(to_hex(encode(true)), "01");
    EXPECT_EQ(to_hex(encode(Height{258})), "0201000000000000");
    EXPECT_EQ(to_hex(encode(Point{1, 2})), "010002000000");
    EXPECT_EQ(to_hex(encode(List{{{1, 2}}})), "01010002000000");
    EXPECT_EQ(to_hex(encode(Blob{{5, 6}})), "020506");
    EXPECT_EQ(to_hex(encode(Choice{})), "00");
    EXPECT_EQ(to_hex(encode(Choice{7})), "0107");
    const std::variant<bool, std::uint8_t> second = std::uint8_t{9};
    EXPECT_EQ(to_hex(encode(second)), "0109");
}

TEST(Codec, everything_round_trips) {
    const Everything value = example();
    const Bytes bytes = encode(value);
    EXPECT_EQ(bytes.size(), encoded_size(value));
    EXPECT_EQ(decode_exact<Everything>(bytes), value);
}

TEST(Codec, every_truncation_is_refused) {
    const Bytes bytes = encode(example());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto value = decode_exact<Everything>(ByteSpan(bytes).first(size));
        ASSERT_FALSE(value) << size;
        EXPECT_EQ(value.error(), CodecError::truncated) << size;
    }
}

TEST(Codec, trailing_bytes_are_refused) {
    Bytes bytes = encode(example());
    bytes.push_back(0);
    EXPECT_EQ(decode_exact<Everything>(bytes).error(), CodecError::trailing_bytes);
}

TEST(Codec, a_prefix_leaves_the_rest) {
    const Bytes bytes = from_hex("010002000000ff").value();
    Reader reader(bytes);
    EXPECT_EQ(decode_prefix<Point>(reader), (Point{1, 2}));
    ASSERT_EQ(reader.rest().size(), 1U);
    EXPECT_EQ(reader.rest()[0], 0xff);
}

TEST(Codec, a_failed_read_consumes_nothing) {
    const Bytes bytes = {0xfd, 0x01};
    Reader reader(bytes);
    EXPECT_FALSE(reader.take(3));
    EXPECT_FALSE(read_integer<std::uint32_t>(reader));
    EXPECT_FALSE(read_compact(reader));
    EXPECT_EQ(reader.rest().size(), 2U);
}

TEST(Codec, values_out_of_range_are_refused) {
    EXPECT_EQ(error_of<bool>("02"), CodecError::bad_value);
    EXPECT_EQ(error_of<Colour>("00"), CodecError::bad_value);
    EXPECT_EQ(error_of<Colour>("03"), CodecError::bad_value);
    EXPECT_EQ(error_of<Choice>("02"), CodecError::bad_value);
    EXPECT_EQ(error_of<Choice>("ff07"), CodecError::bad_value);
    using Either = std::variant<std::uint8_t, Point>;
    EXPECT_EQ(error_of<Either>("0200"), CodecError::bad_value);
}

TEST(Codec, lists_over_their_limit_are_refused_before_their_elements) {
    EXPECT_EQ(decode_exact<List>(encode(List{std::vector<Point>(3)}))->points.size(), 3U);
    EXPECT_EQ(decode_exact<List>(encode(List{std::vector<Point>(4)})).error(),
              CodecError::too_large);
    EXPECT_EQ(error_of<List>("04"), CodecError::too_large);
    EXPECT_EQ(error_of<List>("ffffffffffffffffff"), CodecError::too_large);
}

TEST(Codec, a_length_beyond_the_message_allocates_nothing) {
    // A thousand million is within the limit; the four bytes that follow are not as many.
    Blob blob;
    const Bytes bytes = from_hex("fe00ca9a3b00000000").value();
    Reader reader(bytes);
    EXPECT_EQ(decode_into(reader, blob).error(), CodecError::truncated);
    EXPECT_EQ(blob.bytes.capacity(), 0U);

    List list;
    const Bytes three = from_hex("03010002000000010002000000").value();
    Reader short_reader(three);
    EXPECT_EQ(decode_into(short_reader, list).error(), CodecError::truncated);
    EXPECT_EQ(list.points.capacity(), 0U);
}

TEST(CompactInteger, takes_the_shortest_form_at_every_boundary) {
    const std::vector<std::pair<std::uint64_t, std::string>> forms = {
        {0, "00"},
        {0xfc, "fc"},
        {0xfd, "fdfd00"},
        {0xffff, "fdffff"},
        {0x10000, "fe00000100"},
        {0xffffffff, "feffffffff"},
        {0x100000000, "ff0000000001000000"},
        {UINT64_MAX, "ffffffffffffffffff"},
    };
    for (const auto& [value, text] : forms) {
        EXPECT_EQ(to_hex(encode(Compact64{value})), text);
        EXPECT_EQ(decode_exact<Compact64>(from_hex(text).value())->value, value);
    }
}

TEST(CompactInteger, longer_forms_are_refused) {
    for (const char* text : {"fd0000", "fdfc00", "fe00000000", "feffff0000", "ff0000000000000000",
                             "ffffffffff00000000"}) {
        EXPECT_EQ(error_of<Compact64>(text), CodecError::non_canonical) << text;
    }
    EXPECT_EQ(error_of<Compact64>("fdff"), CodecError::truncated);
    EXPECT_EQ(error_of<Compact64>("ff00000000000000"), CodecError::truncated);
}

TEST(CompactInteger, must_fit_its_type) {
    EXPECT_EQ(decode_exact<Compact8>(from_hex("fdff00").value())->value, 255);
    EXPECT_EQ(error_of<Compact8>("fd0001"), CodecError::too_large);
}

TEST(Codec, one_value_has_one_encoding) {
    // Whatever decodes must encode to the same bytes: every string of up to two bytes, as several
    // types.
    const auto try_as = []<class T>(const Bytes& bytes, T*) {
        const auto value = decode_exact<T>(bytes);
        if (value) {
            EXPECT_EQ(encode(*value), bytes) << to_hex(bytes);
        }
    };
    for (int size = 0; size <= 2; ++size) {
        for (int number = 0; number < 65536; ++number) {
            Bytes bytes = {static_cast<std::uint8_t>(number & 255),
                           static_cast<std::uint8_t>(number >> 8)};
            bytes.resize(static_cast<std::size_t>(size));
            try_as(bytes, static_cast<Choice*>(nullptr));
            try_as(bytes, static_cast<Blob*>(nullptr));
            try_as(bytes, static_cast<Compact64*>(nullptr));
            try_as(bytes, static_cast<std::variant<bool, Colour>*>(nullptr));
        }
    }
}

TEST(Codec, hashing_fields_equals_hashing_their_encoding) {
    const TaggedHasher hasher("gradient/test");
    const Everything value = example();
    Bytes bytes = encode(value);
    bytes.push_back(3);
    EXPECT_EQ(hash_encoded(hasher, value, std::uint8_t{3}), hasher(bytes));
}

TEST(Codec, every_error_has_a_sentence) {
    for (const CodecError error :
         {CodecError::truncated, CodecError::trailing_bytes, CodecError::non_canonical,
          CodecError::too_large, CodecError::bad_value}) {
        EXPECT_NE(to_string(error), "unknown codec error");
    }
}

static_assert(fixed_encoded_size<Point>() == 6);
static_assert(fixed_encoded_size<Hash256>() == 32);

}  // namespace
}  // namespace gradient::chain
