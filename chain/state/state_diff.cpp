#include "chain/state/state_diff.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

namespace {

bool key_before(const StateWrite& write, const StateKey& key) noexcept {
    return write.key < key;
}

}  // namespace

bool operator==(const StateWrite& a, const StateWrite& b) noexcept {
    if (a.key != b.key || (a.value == nullptr) != (b.value == nullptr)) return false;
    return a.value == b.value || *a.value == *b.value;
}

Result<StateWrite, CodecError> StateWrite::decode_from(Reader& reader) {
    StateWrite write;
    bool present = false;
    auto key = bounded<kMaxKeyBytes>(write.key);
    TRY(decode_into(reader, key));
    TRY(decode_into(reader, present));
    if (present) {
        Bytes value;
        auto field = bounded<kMaxValueBytes>(value);
        TRY(decode_into(reader, field));
        write.value = std::make_shared<const Bytes>(std::move(value));
    }
    return write;
}

Result<StateDiff, CodecError> StateDiff::decode_from(Reader& reader) {
    StateDiff diff;
    auto writes = bounded<kMaxWrites>(diff.writes);
    TRY(decode_into(reader, writes));
    const auto out_of_order = [](const StateWrite& a, const StateWrite& b) {
        return a.key >= b.key;
    };
    if (std::adjacent_find(diff.writes.begin(), diff.writes.end(), out_of_order) !=
        diff.writes.end()) {
        return fail(CodecError::bad_value);
    }
    return diff;
}

Result<StateDiff, StoreError> invert(const StateDiff& diff, const StateView& view) {
    StateDiff inverse;
    inverse.writes.reserve(diff.writes.size());
    for (const StateWrite& write : diff.writes) {
        TRY_ASSIGN(StateValue before, view.get(write.key));
        inverse.writes.push_back({write.key, std::move(before)});
    }
    return inverse;
}

void CombinedDiff::add(StateDiff next) {
    for (StateWrite& write : next.writes) last_[std::move(write.key)] = std::move(write.value);
}

StateDiff CombinedDiff::take() && {
    StateDiff combined;
    combined.writes.reserve(last_.size());
    for (auto& [key, value] : last_) combined.writes.push_back({key, std::move(value)});
    return combined;
}

OverlayView::OverlayView(const StateView& base, StateDiff diff)
    : base_(base), diff_(std::move(diff)) {}

Result<StateValue, StoreError> OverlayView::get(const StateKey& key) const {
    const auto found = std::lower_bound(diff_.writes.begin(), diff_.writes.end(), key, key_before);
    if (found != diff_.writes.end() && found->key == key) return found->value;
    return base_.get(key);
}

}  // namespace gradient::chain
