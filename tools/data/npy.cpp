#include "tools/data/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

namespace gradient::data {

namespace {

using chain::fail;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeaderBytes = 65536;
constexpr std::size_t kAlignment = 64;

struct Header {
    std::string descr;
    bool fortran_order = false;
    std::size_t rows = 0;
    std::size_t columns = 0;
};

/// Takes the tokens of the dict literal off the front of a text.
class Literal {
  public:
    explicit Literal(std::string_view text) : rest_(text) {}

    /// Skips blanks and takes `token` if it comes next.
    bool take(std::string_view token) {
        skip_blanks();
        if (!rest_.starts_with(token)) return false;
        rest_.remove_prefix(token.size());
        return true;
    }

    /// A string in single or double quotes, without escapes.
    std::optional<std::string_view> take_string() {
        skip_blanks();
        if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
        const std::size_t end = rest_.find(rest_.front(), 1);
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view text = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return text;
    }

    std::optional<std::size_t> take_number() {
        skip_blanks();
        std::size_t number = 0;
        const auto [end, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
        if (error != std::errc{}) return std::nullopt;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return number;
    }

    bool is_at_end() {
        skip_blanks();
        return rest_.empty();
    }

  private:
    void skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    }

    std::string_view rest_;
};

/// A tuple of sizes: `()`, `(3,)`, `(3, 4)`.
std::optional<std::vector<std::size_t>> take_shape(Literal& literal) {
    std::vector<std::size_t> shape;
    if (!literal.take("(")) return std::nullopt;
    while (!literal.take(")")) {
        const auto size = literal.take_number();
        if (!size) return std::nullopt;
        shape.push_back(*size);
        if (literal.take(",")) continue;
        if (!literal.take(")")) return std::nullopt;
        break;
    }
    return shape;
}

OrSentence<Header> parse_header(std::string_view text) {
    const auto damaged = [] { return fail(std::string("its .npy header cannot be understood")); };
    Header header;
    std::optional<std::vector<std::size_t>> shape;
    bool has_descr = false;
    bool has_order = false;
    Literal literal(text);
    if (!literal.take("{")) return damaged();
    while (!literal.take("}")) {
        const auto key = literal.take_string();
        if (!key || !literal.take(":")) return damaged();
        if (*key == "descr" && !has_descr) {
            const auto descr = literal.take_string();
            if (!descr) return fail(std::string("its entries are records, not numbers"));
            header.descr = *descr;
            has_descr = true;
        } else if (*key == "fortran_order" && !has_order) {
            header.fortran_order = literal.take("True");
            if (!header.fortran_order && !literal.take("False")) return damaged();
            has_order = true;
        } else if (*key == "shape" && !shape) {
            shape = take_shape(literal);
            if (!shape) return damaged();
        } else {
            return damaged();
        }
        if (literal.take(",")) continue;
        if (!literal.take("}")) return damaged();
        break;
    }
    if (!literal.is_at_end() || !has_descr || !has_order || !shape) return damaged();
    if (shape->empty() || shape->size() > 2) {
        return fail(fmt::format("its array has {} dimensions; a matrix has 2", shape->size()));
    }
    header.rows = shape->front();
    header.columns = shape->size() == 2 ? shape->back() : 1;
    return header;
}

/// The bytes of one entry, first byte lowest.
std::uint64_t little_endian(std::string_view bytes) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
    }
    return value;
}

template <class Integer>
double from_integer(std::string_view bytes) noexcept {
    return static_cast<double>(static_cast<Integer>(little_endian(bytes)));
}

struct EntryType {
    std::string_view descr;
    std::size_t size_bytes;
    double (*read)(std::string_view bytes) noexcept;
};

constexpr std::array<EntryType, 7> kTypes = {{
    {"<f4", 4,
     [](std::string_view bytes) noexcept {
         const auto bits = static_cast<std::uint32_t>(little_endian(bytes));
         return static_cast<double>(std::bit_cast<float>(bits));
     }},
    {"<f8", 8,
     [](std::string_view bytes) noexcept { return std::bit_cast<double>(little_endian(bytes)); }},
    {"|i1", 1, from_integer<std::int8_t>},
    {"<i2", 2, from_integer<std::int16_t>},
    {"<i4", 4, from_integer<std::int32_t>},
    {"<i8", 8, from_integer<std::int64_t>},
    {"|u1", 1, from_integer<std::uint8_t>},
}};

OrSentence<EntryType> find_type(const std::string& descr) {
    for (const EntryType& type : kTypes) {
        if (type.descr == descr) return type;
    }
    return fail(fmt::format(
        "its entries have type '{}'; <f4, <f8, |i1, <i2, <i4, <i8 and |u1 are read", descr));
}

OrSentence<Table> read_entries(const Header& header, const EntryType& type,
                               std::string_view bytes) {
    Table table{.rows = header.rows, .columns = header.columns, .values = {}};
    table.values.resize(header.rows * header.columns);
    for (std::size_t row = 0; row < header.rows; ++row) {
        for (std::size_t column = 0; column < header.columns; ++column) {
            const std::size_t place =
                header.fortran_order ? column * header.rows + row : row * header.columns + column;
            const double value = type.read(bytes.substr(place * type.size_bytes, type.size_bytes));
            if (!std::isfinite(value)) {
                return fail(fmt::format("row {}, column {} is {}", row + 1, column + 1,
                                        std::isnan(value) ? "NaN" : "infinite"));
            }
            table.values[row * header.columns + column] = value;
        }
    }
    return table;
}

}  // namespace

bool is_npy(std::string_view bytes) noexcept {
    return bytes.starts_with(kMagic);
}

OrSentence<Table> read_npy(std::string_view bytes) {
    const auto short_file = [] { return fail(std::string("it ends within its .npy header")); };
    if (!is_npy(bytes)) return fail(std::string("it is not a .npy file"));
    if (bytes.size() < kMagic.size() + 4) return short_file();
    const int major = static_cast<std::uint8_t>(bytes[kMagic.size()]);
    const int minor = static_cast<std::uint8_t>(bytes[kMagic.size() + 1]);
    if ((major != 1 && major != 2) || minor != 0) {
        return fail(fmt::format("it is .npy version {}.{}; 1.0 and 2.0 are read", major, minor));
    }
    bytes.remove_prefix(kMagic.size() + 2);
    const std::size_t length_bytes = major == 1 ? 2 : 4;
    if (bytes.size() < length_bytes) return short_file();
    const std::size_t length = little_endian(bytes.substr(0, length_bytes));
    bytes.remove_prefix(length_bytes);
    if (length > kMaxHeaderBytes || length > bytes.size()) return short_file();
    TRY_ASSIGN(const Header header, parse_header(bytes.substr(0, length)));
    TRY_ASSIGN(const EntryType type, find_type(header.descr));
    bytes.remove_prefix(length);
    if (header.rows == 0 || header.columns == 0) return fail(std::string("it has no entries"));
    if (header.rows > kMaxEntries || header.columns > kMaxEntries / header.rows) {
        return fail(fmt::format("it has more than {} entries", kMaxEntries));
    }
    const std::size_t needed = header.rows * header.columns * type.size_bytes;
    if (bytes.size() != needed) {
        return fail(fmt::format("it has {} bytes of entries where {} rows of {} need {}",
                                bytes.size(), header.rows, header.columns, needed));
    }
    return read_entries(header, type, bytes);
}

std::string write_npy(const Table& table) {
    std::string header =
        fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", table.rows,
                    table.columns);
    constexpr std::size_t kFrontBytes = kMagic.size() + 4;
    const std::size_t unpadded = kFrontBytes + header.size() + 1;
    header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
    header += '\n';
    std::string bytes(kMagic);
    bytes.reserve(kFrontBytes + header.size() + 8 * table.values.size());
    bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
              static_cast<char>(header.size() >> 8)};
    bytes += header;
    for (const double value : table.values) {
        const auto bits = std::bit_cast<std::uint64_t>(value);
        for (unsigned shift = 0; shift < 64; shift += 8) {
            bytes += static_cast<char>(bits >> shift & 0xff);
        }
    }
    return bytes;
}

}  // namespace gradient::data
