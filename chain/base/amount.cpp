#include "chain/base/amount.hpp"

#include "chain/base/check.hpp"

namespace gradient::chain {

namespace {

__extension__ using u128 = unsigned __int128;

constexpr std::size_t kDecimals = 8;

std::optional<Amount> from_wide(u128 units) noexcept {
    if (units > kMaxAmountUnits) return std::nullopt;
    return Amount::from_units(static_cast<std::uint64_t>(units));
}

}  // namespace

std::optional<Amount> Amount::parse(std::string_view text) noexcept {
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view part =
        point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
    if (whole.empty() || part.size() > kDecimals) return std::nullopt;
    if (point != std::string_view::npos && part.empty()) return std::nullopt;

    std::uint64_t units = 0;
    const auto push_digit = [&units](char c) {
        if (c < '0' || c > '9' || units > kMaxAmountUnits) return false;
        units = 10 * units + static_cast<std::uint64_t>(c - '0');
        return true;
    };
    for (const char c : whole) {
        if (!push_digit(c)) return std::nullopt;
    }
    for (std::size_t i = 0; i < kDecimals; ++i) {
        if (!push_digit(i < part.size() ? part[i] : '0')) return std::nullopt;
    }
    return from_units(units);
}

std::string Amount::to_string() const {
    std::string text = std::to_string(units_ / kCoin);
    const std::uint64_t part = units_ % kCoin;
    if (part == 0) return text;
    const std::string digits = std::to_string(part);
    text += '.' + std::string(kDecimals - digits.size(), '0') + digits;
    while (text.back() == '0') text.pop_back();
    return text;
}

Result<Amount, CodecError> Amount::decode_from(Reader& reader) noexcept {
    const auto units = read_integer<std::uint64_t>(reader);
    if (!units) return fail(units.error());
    const auto amount = from_units(*units);
    if (!amount) return fail(CodecError::bad_value);
    return *amount;
}

std::optional<Amount> checked_add(Amount a, Amount b) noexcept {
    return from_wide(u128{a.units()} + b.units());
}

std::optional<Amount> checked_sub(Amount a, Amount b) noexcept {
    if (a < b) return std::nullopt;
    return Amount::from_units(a.units() - b.units());
}

std::optional<Amount> checked_mul(Amount a, std::uint64_t factor) noexcept {
    return from_wide(u128{a.units()} * factor);
}

std::optional<Amount> checked_mul_div(Amount a, std::uint64_t numerator,
                                      std::uint64_t denominator) noexcept {
    CHECK(denominator != 0);
    return from_wide(u128{a.units()} * numerator / denominator);
}

}  // namespace gradient::chain
