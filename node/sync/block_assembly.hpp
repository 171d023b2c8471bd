#pragma once

#include "chain/base/result.hpp"
#include "chain/storage/block_stub.hpp"
#include "chain/types/block.hpp"
#include "node/p2p/messages.hpp"
#include "node/sync/relay_types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace gradient::node {

/// A block's outline. `included`: the ids of its shares; as many of each kind as the block has.
[[nodiscard]] Outline make_outline(const chain::Block& block,
                                   const chain::IncludedSegments& included);

/// The ids of a block's shares, as far as a pool knows their lanes; nothing if it lacks one.
[[nodiscard]] std::optional<chain::IncludedSegments> ids_from_pool(const chain::Block& block,
                                                                   const chain::SharePool& pool);

/// The parts of a block that are asked for. Nothing if the places do not ascend or are not there.
[[nodiscard]] std::optional<Parts> take_parts(const chain::Block& block, const GetParts& request);

/// A block being put together from an outline, from the pools and from what its sender adds.
class BlockAssembly {
  public:
    /// Takes from the pools what the outline names. Nothing if the outline can be no block's: its
    /// lists are not the header's, name a thing twice, or its winner has another number of units.
    [[nodiscard]] static std::optional<BlockAssembly> start(Outline outline, const RelayView& view);

    /// What the pools lack.
    [[nodiscard]] const GetParts& missing() const noexcept { return missing_; }
    [[nodiscard]] bool is_complete() const noexcept {
        return missing_.listed.empty() && missing_.transactions.empty();
    }
    /// Whether anything has come from a pool: then a block that does not fit may be nobody's fault.
    [[nodiscard]] bool has_used_pools() const noexcept { return has_used_pools_; }

    /// Takes what missing() names; false if it is something else.
    [[nodiscard]] bool add(Parts parts);

    /// The block, if it is the one that the header commits to, as far as its bytes show.
    /// Precondition: it is complete.
    [[nodiscard]] SharedBlock finish() const;
    /// The ids by which the outline named the block's shares. Those of late ones are unproven.
    [[nodiscard]] chain::IncludedSegments included() const;

  private:
    using Part = std::variant<std::monostate, SharedTransaction, SharedSegment>;

    explicit BlockAssembly(Outline outline, std::size_t max_bytes);
    void take_from_pools(const RelayView& view);
    [[nodiscard]] bool put(std::uint32_t place, chain::Transaction transaction);

    Outline outline_;
    std::size_t max_bytes_;
    std::vector<SharedSegment> listed_;
    std::vector<Part> transactions_;
    GetParts missing_;
    bool has_used_pools_ = false;
};

}  // namespace gradient::node
