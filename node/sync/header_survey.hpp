#pragma once

#include "node/sync/header_chain.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace gradient::node {

/// A look ahead, in constant memory, along headers that are checked and not held. A branch that
/// leaves the chain far below the tip has too little work in the headers that may be held: a survey
/// shows that there is more above. Since a peer could then show other headers than it was surveyed
/// with, some ids are remembered, and only what leads up to one of them counts.
class HeaderSurvey {
  public:
    /// Starts above a header. Every `interval`-th id is remembered.
    HeaderSurvey(HeaderEnd start, std::size_t interval)
        : start_height_(start.height()), interval_(interval), end_(std::move(start)) {}

    /// The end of what has been surveyed.
    [[nodiscard]] const HeaderEnd& end() const noexcept { return end_; }
    /// Headers surveyed.
    [[nodiscard]] std::uint64_t size() const noexcept { return end_.height() - start_height_; }

    /// Checks one more header; an error changes nothing.
    [[nodiscard]] chain::Result<void, chain::HeaderError> extend(const chain::Header& header,
                                                                 const chain::Network& network,
                                                                 std::uint64_t now_ms);

    /// Whether the survey does not show another block at that height, as far as is remembered.
    [[nodiscard]] bool agrees(const chain::Hash256& id, std::uint64_t height) const;
    /// The highest block at or below that height that agrees() would know; where the survey started
    /// if there is none, and the height itself if the survey ends below it.
    [[nodiscard]] std::uint64_t known_height(std::uint64_t height) const;

  private:
    std::uint64_t start_height_;
    std::size_t interval_;
    HeaderEnd end_;
    std::map<std::uint64_t, chain::Hash256> known_;  // by height
};

}  // namespace gradient::node
