#pragma once

// Who is paid what for a block (chain/SPEC.md section 12).

#include "chain/base/amount.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/params.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/transition/segment_outcome.hpp"

#include <cstdint>
#include <vector>

namespace gradient::chain {

/// What a share's emission is at a lateness of s blocks: floor(pay * (4 - s) / 4).
[[nodiscard]] Amount late_pay(Amount pay, std::uint32_t lateness) noexcept;

/// What including a share costs it: byte_fee for each byte and replay_fee for each replay, at most
/// its emission.
[[nodiscard]] Amount share_fee(const SegmentOutcome& share, Amount emission,
                               const ConsensusParams& params) noexcept;

/// The pay of one block, collected segment by segment and written at the end.
class BlockPay {
  public:
    BlockPay(State& state, const ConsensusParams& params, std::uint64_t height) noexcept
        : state_(state), params_(params), height_(height) {}

    /// A share that the block includes, `lateness` blocks late: emission less its fee, and what its
    /// task pays on top; the fee and the cut go to the includer.
    [[nodiscard]] Result<void, StoreError> add_share(const SegmentOutcome& share,
                                                     std::uint32_t lateness);
    /// The block's own segment.
    [[nodiscard]] Result<void, StoreError> add_winner(const SegmentOutcome& winner);

    /// Block reward, cuts and fees become the includer's; every pay is entered to mature, and its
    /// segment to be held against fraud proofs until then.
    [[nodiscard]] Result<void, StoreError> finish(const Address& includer, Amount fees);

  private:
    struct Earned {
        SegmentOutcome segment;
        Amount amount;
    };

    [[nodiscard]] Result<Amount, StoreError> mint(Amount wanted);
    [[nodiscard]] Result<Amount, StoreError> take_from_escrow(const SegmentOutcome& segment,
                                                              std::uint32_t lateness);
    void add_to_includer(Amount amount) noexcept;

    State& state_;
    const ConsensusParams& params_;
    std::uint64_t height_;
    Amount includer_;
    std::vector<Earned> earned_;
};

}  // namespace gradient::chain
