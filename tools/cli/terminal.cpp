#include "tools/cli/terminal.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace gradient::cli {

std::string Listing::text() const {
    std::size_t width = 0;
    for (const auto& [name, value] : lines_) width = std::max(width, name.size());
    std::string text;
    for (const auto& [name, value] : lines_) {
        text += name.empty() ? "\n" : fmt::format("{:<{}}  {}\n", name, width, value);
    }
    return text;
}

std::string Table::text() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths.at(i) = std::max(widths.at(i), row[i].size());
    }
    std::string text;
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const bool last = i + 1 == row.size();
            text += last ? row[i] + "\n" : fmt::format("{:>{}}  ", row[i], widths[i]);
        }
    }
    return text;
}

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)), visible_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
    clear();
}

void ProgressBar::clear() {
    if (visible_ && last_permille_ >= 0) fmt::print(stderr, "\r\033[K");
    last_permille_ = -1;
}

void ProgressBar::show(std::uint64_t done, std::uint64_t total) {
    if (!visible_ || total == 0) return;
    const int permille = static_cast<int>(1000 * std::min(done, total) / total);
    if (permille == last_permille_) return;
    last_permille_ = permille;
    constexpr int kWidth = 40;
    const int filled = permille * kWidth / 1000;
    fmt::print(stderr, "\r{} [{:=<{}}{:<{}}] {:>5.1f} %", label_, "", filled, "", kWidth - filled,
               permille / 10.0);
}

std::string utc_time(std::uint64_t milliseconds_since_1970) {
    const std::chrono::sys_time<std::chrono::milliseconds> time{
        std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds_since_1970))};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03} UTC",
                       fmt::gmtime(seconds.time_since_epoch().count()), (time - seconds).count());
}

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
    return text;
}

std::string with_prefix(double value, std::string_view unit) {
    constexpr std::array<std::string_view, 6> kPrefixes{"", "k", "M", "G", "T", "P"};
    std::size_t i = 0;
    while (value >= 1000 && i + 1 < kPrefixes.size()) {
        value /= 1000;
        ++i;
    }
    return fmt::format("{:.2f} {}{}", value, kPrefixes.at(i), unit);
}

}  // namespace gradient::cli
