#pragma once

#include "chain/base/bytes.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/types/segment.hpp"
#include "chain/work/lane.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace gradient::node {

/// A segment that waits for its audit, with all that the audit takes.
struct AuditCandidate {
    chain::Hash256 id;
    chain::Template tmpl;
    std::shared_ptr<const chain::SegmentBody> body;  ///< its digests alone
    chain::LaneStart start;
    std::uint64_t height = 0;  ///< of the block with which it came

    /// Memory that it holds, a start that it shares with others counted in full.
    [[nodiscard]] std::size_t bytes() const noexcept;
};

/// The segments drawn for audit. Each one has a single draw, however many blocks bring it. What
/// there is no room for is dropped at random: nobody can choose what is forgotten.
class AuditQueue {
  public:
    /// A number below the bound that nobody can predict.
    using Random = std::function<std::uint64_t(std::uint64_t)>;

    /// Memory of all candidates together: about a thousand starts of the default model.
    static constexpr std::size_t kMaxBytes = std::size_t{256} << 20U;
    /// Ids of segments that have had their draw; beyond, the oldest are forgotten.
    static constexpr std::size_t kMaxDrawn = std::size_t{1} << 20U;

    /// Of all segments offered, `fraction` (0..1) are drawn.
    AuditQueue(double fraction, std::size_t max_bytes, Random random);

    /// Gives a segment of a block at `height` its draw, unless it has had one.
    void offer(const chain::CheckedSegment& segment, std::uint64_t height);

    /// Takes a random candidate out.
    [[nodiscard]] std::optional<AuditCandidate> take();

    /// Puts a candidate back.
    void put_back(AuditCandidate candidate);

    /// Forgets everything of blocks up to this height: what is proven of it now costs nobody
    /// anything.
    void forget(std::uint64_t height);

    [[nodiscard]] std::size_t size() const noexcept { return candidates_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    /// Candidates for which there was no room or no time.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

  private:
    [[nodiscard]] bool is_new(const chain::Hash256& id, std::uint64_t height);
    [[nodiscard]] AuditCandidate remove(std::size_t index);

    double fraction_;
    std::size_t max_bytes_;
    Random random_;
    std::vector<AuditCandidate> candidates_;
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
    std::map<chain::Hash256, std::uint64_t> drawn_;  // id, height
    std::multimap<std::uint64_t, chain::Hash256> drawn_at_;
};

}  // namespace gradient::node
