#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradient::cli {

/// Lines "name   value", the values in one column.
class Listing {
  public:
    void add(std::string name, std::string value) {
        lines_.emplace_back(std::move(name), std::move(value));
    }
    /// An empty line.
    void gap() { lines_.emplace_back(); }
    [[nodiscard]] std::string text() const;

  private:
    std::vector<std::pair<std::string, std::string>> lines_;
};

/// A table with a head; numbers look best right-aligned, so all columns but the last are.
class Table {
  public:
    explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] std::string text() const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

/// A bar on standard error, redrawn in place; nothing at all if that is no terminal.
class ProgressBar {
  public:
    explicit ProgressBar(std::string label);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void show(std::uint64_t done, std::uint64_t total);
    /// Takes the bar off the line; the next show draws it again.
    void clear();

  private:
    std::string label_;
    bool visible_;
    int last_permille_ = -1;
};

/// "2026-11-23 20:44:00.123 UTC".
[[nodiscard]] std::string utc_time(std::uint64_t milliseconds_since_1970);

/// 12345678 as "12,345,678".
[[nodiscard]] std::string grouped(std::uint64_t number);

/// 1.5e9 with unit FLOP/s as "1.50 GFLOP/s".
[[nodiscard]] std::string with_prefix(double value, std::string_view unit);

}  // namespace gradient::cli
