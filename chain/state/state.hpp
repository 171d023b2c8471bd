#pragma once

#include "chain/base/codec.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/state_view.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

namespace gradient::chain {

/// A state under change: an overlay on a view, with a journal. Nothing reaches the view; what
/// changed leaves as a StateDiff. No entry is read from the view twice. Belongs to one thread.
class State final : public StateView {
  public:
    /// A moment to come back to. Valid until an earlier one has been rolled back to.
    enum class Checkpoint : std::size_t {};

    /// `base` must outlive the state.
    explicit State(const StateView& base) noexcept : base_(base) {}

    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey& key) const override;

    /// Sets an entry's bytes; null removes the entry.
    void set(const StateKey& key, StateValue value);

    /// Sets an entry to the encoding of a value.
    template <class T>
    void put(const StateKey& key, const T& value) {
        set(key, std::make_shared<const Bytes>(encode(value)));
    }
    void erase(const StateKey& key) { set(key, nullptr); }

    /// From the first one on, changes are recorded.
    [[nodiscard]] Checkpoint checkpoint() noexcept;
    /// Undoes every change since the checkpoint was taken.
    void rollback(Checkpoint checkpoint);

    /// All that changed, without entries that ended as they began.
    [[nodiscard]] Result<StateDiff, StoreError> diff() const;

  private:
    // What is known of an entry: what stands in the view, once that has been read, and what stands
    // here instead, once it has been set.
    struct Known {
        StateValue before;
        StateValue now;
        bool is_read = false;
        bool is_set = false;
    };
    using Entries = std::map<StateKey, Known>;
    struct JournalEntry {
        Entries::iterator entry;
        bool was_set = false;
        StateValue value;
    };

    [[nodiscard]] Result<StateValue, StoreError> before(const StateKey& key, Known& known) const;

    const StateView& base_;
    mutable Entries entries_;            // none is ever taken out
    std::vector<JournalEntry> journal_;  // since the first checkpoint
    bool journals_ = false;
};

}  // namespace gradient::chain
