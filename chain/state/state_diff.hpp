#pragma once

// Grammar (chain/SPEC.md, "State"):
//
//   write  key bytes (length compact), value optional of bytes (length compact)
//   diff   writes list, keys strictly ascending

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/state/state_view.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace gradient::chain {

/// One entry's new bytes, or nothing if the entry goes.
struct StateWrite {
    static constexpr std::size_t kMinEncodedSize = 2;
    static constexpr std::size_t kMaxKeyBytes = 64;
    static constexpr std::size_t kMaxValueBytes = std::size_t{4} << 20U;

    StateKey key;
    StateValue value;

    /// Compares the bytes, not where they are.
    friend bool operator==(const StateWrite& a, const StateWrite& b) noexcept;

    void encode_to(auto& sink) const {
        encode_into(sink, bounded<kMaxKeyBytes>(key));
        encode_into(sink, value != nullptr);
        if (value) encode_into(sink, bounded<kMaxValueBytes>(*value));
    }
    [[nodiscard]] static Result<StateWrite, CodecError> decode_from(Reader& reader);
};

/// What turns one state into another: plain data. A block's diff leads from the state after its
/// parent to the state after it; the inverse leads back.
struct StateDiff {
    static constexpr std::size_t kMinEncodedSize = 1;
    static constexpr std::size_t kMaxWrites = 1U << 20U;

    std::vector<StateWrite> writes;  ///< keys strictly ascending

    friend bool operator==(const StateDiff&, const StateDiff&) = default;

    void encode_to(auto& sink) const { encode_into(sink, bounded<kMaxWrites>(writes)); }
    /// Refuses keys out of order with bad_value.
    [[nodiscard]] static Result<StateDiff, CodecError> decode_from(Reader& reader);
};

/// The diff that leads from `diff` applied to `view` back to `view`.
[[nodiscard]] Result<StateDiff, StoreError> invert(const StateDiff& diff, const StateView& view);

/// The diff that does what several do one after the other. It holds the last value of each key
/// alone, however many diffs there are.
class CombinedDiff {
  public:
    void add(StateDiff next);
    [[nodiscard]] StateDiff take() &&;

  private:
    std::map<StateKey, StateValue> last_;
};

/// A state with a diff applied on top.
class OverlayView final : public StateView {
  public:
    /// `base` must outlive the overlay.
    OverlayView(const StateView& base, StateDiff diff);

    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey& key) const override;

  private:
    const StateView& base_;
    StateDiff diff_;
};

}  // namespace gradient::chain
