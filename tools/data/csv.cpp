#include "tools/data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace gradient::data {

namespace {

using chain::fail;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kMaxQuotedText = 24;

/// Why a field is no entry of a table.
enum class FieldError { empty, not_a_number, not_finite, too_large };

/// Where a field's text ends and what follows it.
enum class FieldEnd { comma, record, broken };

/// Takes fields off the front of a text.
class FieldReader {
  public:
    explicit FieldReader(std::string_view text) : rest_(text) {}

    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

    /// Reads the next field into `field`. `broken`: a quote stands where none may.
    FieldEnd next(std::string& field) {
        field.clear();
        if (rest_.starts_with('"')) {
            if (!take_quoted(field)) return FieldEnd::broken;
        } else {
            const std::size_t size = std::min(rest_.find_first_of(",\n\""), rest_.size());
            field = rest_.substr(0, size);
            rest_.remove_prefix(size);
            if (!rest_.starts_with(',') && field.ends_with('\r')) field.pop_back();
        }
        if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
        if (rest_.empty()) return FieldEnd::record;
        const char end = rest_.front();
        rest_.remove_prefix(1);
        if (end == ',') return FieldEnd::comma;
        return end == '\n' ? FieldEnd::record : FieldEnd::broken;
    }

  private:
    bool take_quoted(std::string& field) {
        rest_.remove_prefix(1);
        while (true) {
            const std::size_t quote = rest_.find('"');
            if (quote == std::string_view::npos) return false;
            field += rest_.substr(0, quote);
            rest_.remove_prefix(quote + 1);
            if (!rest_.starts_with('"')) return true;
            field += '"';
            rest_.remove_prefix(1);
        }
    }

    std::string_view rest_;
};

chain::Result<double, FieldError> parse_number(std::string_view field) {
    const std::size_t begin = field.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return fail(FieldError::empty);
    field = field.substr(begin, field.find_last_not_of(" \t") - begin + 1);
    if (field.size() > 1 && field.front() == '+' && field[1] != '-') field.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error == std::errc::invalid_argument || end != field.data() + field.size()) {
        return fail(FieldError::not_a_number);
    }
    if (error == std::errc::result_out_of_range) return fail(FieldError::too_large);
    if (!std::isfinite(value)) return fail(FieldError::not_finite);
    return value;
}

/// The field as far as a sentence can show it.
std::string shown(std::string_view field) {
    std::string text(field.substr(0, kMaxQuotedText));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return field.size() > kMaxQuotedText ? text + "..." : text;
}

std::string sentence(FieldError error, std::size_t row, std::size_t column,
                     std::string_view field) {
    const std::string place = fmt::format("row {}, column {}", row, column);
    switch (error) {
        case FieldError::empty:
            return place + " is empty";
        case FieldError::not_a_number:
            return fmt::format("{} is not a number: '{}'", place, shown(field));
        case FieldError::not_finite:
            return fmt::format("{} is not finite: '{}'", place, shown(field));
        case FieldError::too_large:
            return fmt::format("{} does not fit a 64-bit float: '{}'", place, shown(field));
    }
    return place;
}

/// Reads the records of a table one by one.
class RecordReader {
  public:
    explicit RecordReader(std::string_view text) : fields_(text) {}

    [[nodiscard]] bool is_at_end() const { return fields_.is_at_end(); }

    /// The next record's fields, as text. The span lives until the next call.
    OrSentence<std::span<const std::string>> next(std::size_t row) {
        std::size_t count = 0;
        while (true) {
            if (count == record_.size()) record_.emplace_back();
            const FieldEnd end = fields_.next(record_[count]);
            ++count;
            if (end == FieldEnd::broken) {
                return fail(fmt::format("row {}, column {} has a quote out of place", row, count));
            }
            if (end == FieldEnd::record) return std::span(record_).first(count);
        }
    }

  private:
    FieldReader fields_;
    std::vector<std::string> record_;
};

bool is_header(std::span<const std::string> record) {
    return std::ranges::all_of(record, [](const std::string& field) {
        const auto number = parse_number(field);
        return !number && number.error() == FieldError::not_a_number;
    });
}

OrSentence<void> append_row(Table& table, std::span<const std::string> record) {
    const std::size_t row = table.rows + 1;
    if (table.rows == 0) table.columns = record.size();
    if (record.size() != table.columns) {
        return fail(fmt::format("row {} has {} columns where row 1 has {}", row, record.size(),
                                table.columns));
    }
    if (table.values.size() + record.size() > kMaxEntries) {
        return fail(fmt::format("it has more than {} entries", kMaxEntries));
    }
    for (std::size_t column = 0; column < record.size(); ++column) {
        const auto number = parse_number(record[column]);
        if (!number) return fail(sentence(number.error(), row, column + 1, record[column]));
        table.values.push_back(*number);
    }
    table.rows = row;
    return {};
}

}  // namespace

OrSentence<Table> read_csv(std::string_view text) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    RecordReader records(text);
    Table table;
    for (bool is_first = true; !records.is_at_end(); is_first = false) {
        TRY_ASSIGN(const auto record, records.next(table.rows + 1));
        if (is_first && is_header(record)) continue;
        TRY(append_row(table, record));
    }
    if (table.rows == 0) return fail(std::string("it has no rows"));
    return table;
}

}  // namespace gradient::data
