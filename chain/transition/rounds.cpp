#include "chain/transition/rounds.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace gradient::chain {

namespace {

bool is_archived(const StateKey& key) noexcept {
    switch (static_cast<EntryKind>(key.front())) {
        case EntryKind::pending_round:
        case EntryKind::model:
        case EntryKind::momentum:
        case EntryKind::reference:
        case EntryKind::history:
        case EntryKind::progress:
        case EntryKind::late_list:
        case EntryKind::late:
            return true;
        default:
            return false;
    }
}

// The entries on which theta_0 of a task's lanes depends, in a state or an archived one.
Result<std::vector<StateKey>, StoreError> archived_keys(const StateView& view, std::uint32_t task) {
    std::vector<StateKey> keys{pending_round_key(), model_key(task)};
    TRY_ASSIGN(const auto pending, read_entry<PendingRound>(view, pending_round_key()));
    if (!pending || pending->task != task) return keys;
    for (auto key : {momentum_key(task), reference_key(task), history_key(task), progress_key(task),
                     late_list_key(task)}) {
        keys.push_back(std::move(key));
    }
    TRY_ASSIGN(const auto late, read_entry<LateList>(view, late_list_key(task)));
    if (late) {
        for (const Hash256& segment : late->segments) keys.push_back(late_key(segment));
    }
    return keys;
}

}  // namespace

Result<StateValue, StoreError> ArchiveView::get(const StateKey& key) const {
    return is_archived(key) ? view_.get(archive_key(round_, key)) : view_.get(key);
}

Result<void, StoreError> archive_round(State& state, std::uint64_t round, std::uint32_t task) {
    TRY_ASSIGN(const auto keys, archived_keys(state, task));
    for (const StateKey& key : keys) {
        TRY_ASSIGN(StateValue value, state.get(key));
        if (value) state.set(archive_key(round, key), std::move(value));
    }
    return {};
}

Result<void, StoreError> forget_round(State& state, std::uint64_t round) {
    TRY_ASSIGN(const auto entry, read_entry<Round>(state, round_key(round)));
    if (!entry) return {};
    TRY_ASSIGN(const auto keys, archived_keys(ArchiveView(state, round), entry->task));
    for (const StateKey& key : keys) {
        const StateKey archived = archive_key(round, key);
        TRY_ASSIGN(const StateValue value, state.get(archived));
        if (value) state.erase(archived);
    }
    for (const RoundSegment& segment : entry->segments) {
        state.erase(contribution_key(segment.segment));
    }
    state.erase(round_key(round));
    return {};
}

Result<void, StoreError> record_segment(State& state, std::uint64_t round,
                                        const RoundSegment& segment) {
    TRY_ASSIGN(auto entry, require_entry<Round>(state, round_key(round)));
    entry.segments.push_back(segment);
    state.put(round_key(round), entry);
    return {};
}

Round round_of(const Header& header, std::uint64_t parent_time_ms) {
    const Template& tmpl = header.tmpl;
    Round round;
    round.parent = tmpl.parent;
    round.parent_time_ms = parent_time_ms;
    round.bits = tmpl.bits;
    round.task = tmpl.task;
    round.state_root = tmpl.state_root;
    round.history_root = tmpl.history_root;
    return round;
}

Result<void, SegmentError> check_share_template(const Template& tmpl, std::uint64_t number,
                                                const Round& round) noexcept {
    const bool fits = tmpl.version == kTemplateVersion && tmpl.height == number &&
                      tmpl.parent == round.parent && tmpl.time_ms > round.parent_time_ms &&
                      tmpl.bits == round.bits && tmpl.state_root == round.state_root &&
                      tmpl.history_root == round.history_root && tmpl.task == round.task;
    if (!fits) return fail(SegmentError::wrong_share_template);
    return {};
}

}  // namespace gradient::chain
