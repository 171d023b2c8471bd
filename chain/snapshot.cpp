#include "chain/snapshot.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/parent_state.hpp"
#include "chain/pruning.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state_tree_builder.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/stored_state.hpp"
#include "chain/transition/apply.hpp"
#include "chain/work/task_model.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace gradient::chain {

namespace {

/// Bytes at which an import writes what it has gathered.
constexpr std::size_t kImportBatchBytes = std::size_t{4} << 20U;
/// Keys that one batch of emptying a store erases.
constexpr std::size_t kEraseBatchKeys = 65'536;
/// Entries between two calls of a listener.
constexpr std::uint64_t kReportEntries = 4096;

using Done = Result<void, SnapshotFailure>;

auto broken(SnapshotError rule) {
    return fail(SnapshotFailure(rule));
}

// The value of a narrower result, or its failure as one of a snapshot.
template <class E>
Done widen(const Result<void, E>& result) {
    if (!result) return fail(SnapshotFailure(result.error()));
    return {};
}
template <class T, class E>
Result<T, SnapshotFailure> widen(Result<T, E> result) {
    if (!result) return fail(SnapshotFailure(std::move(result).error()));
    return *std::move(result);
}

SnapshotHeader snapshot_header(const BlockIndex& index) {
    return {index.header,          index.child_task, index.unit_work,
            index.child_unit_work, index.hits,       index.replayed_units,
            index.shares,          index.share_hits, index.share_units};
}

SnapshotSummary summary_of(const SnapshotHead& head, const SnapshotEnd& end, const U256& work,
                           std::uint64_t size_bytes) {
    const Header& last = head.headers.back().header;
    SnapshotSummary summary;
    summary.genesis = head.genesis;
    summary.height = last.tmpl.height;
    summary.block = header_id(last);
    summary.time_ms = last.tmpl.time_ms;
    summary.cumulative_work = work;
    summary.state_root = head.state_root;
    if (head.child) summary.child = header_id(*head.child);
    summary.headers = head.headers.size();
    summary.entries = end.entries;
    summary.size_bytes = size_bytes;
    summary.file_hash = end.file_hash;
    return summary;
}

U256 work_below(const MmrPeaks& peaks) {
    return peaks.peaks().empty() ? U256() : peaks.peaks().back().work_after;
}

// What the headers say of the last one's cumulative work, true or not.
U256 claimed_work(const SnapshotHead& head) {
    U256 work = work_below(head.before);
    for (const SnapshotHeader& one : head.headers) {
        work = saturating_add(work, block_work(one.header.tmpl.bits));
    }
    return work;
}

// ------------------------------------------------------------------------------------------------
// export

Result<SnapshotHead, SnapshotFailure> make_head(const BlockReader& reader, std::uint64_t height) {
    TRY_ASSIGN(const auto info, widen(reader.info()));
    TRY_ASSIGN(const auto tip, widen(reader.tip()));
    if (!info || !tip) return broken(SnapshotError::no_chain);
    TRY_ASSIGN(const BlockIndex tip_index, widen(reader.require_index(*tip)));
    if (height > tip_index.height()) return broken(SnapshotError::unknown_height);
    TRY_ASSIGN(const KeptHistory kept, widen(reader.kept()));
    if (height < tip_index.height() && height + 1 < kept.undo) {
        return fail(SnapshotFailure(pruned(*tip, height, kept)));
    }

    // The lowest header of a chain that was itself imported has no index below it.
    const std::uint64_t lowest = kept.headers == 0 ? 0 : kept.headers + 1;
    const std::uint64_t wanted =
        height + 1 > kMaxSnapshotHeaders ? height + 1 - kMaxSnapshotHeaders : 0;
    const std::uint64_t first = std::min(std::max(wanted, lowest), height);
    SnapshotHead head;
    head.genesis = info->genesis;
    if (first > 0) {
        TRY_ASSIGN(const Hash256 below, widen(reader.require_active_at(first - 1)));
        TRY_ASSIGN(const BlockIndex index, widen(reader.require_index(below)));
        head.before = index.history;
    }
    for (std::uint64_t at = first; at <= height; ++at) {
        TRY_ASSIGN(const Hash256 id, widen(reader.require_active_at(at)));
        TRY_ASSIGN(const BlockIndex index, widen(reader.require_index(id)));
        head.headers.push_back(snapshot_header(index));
        head.state_root = index.state_root;
    }
    TRY_ASSIGN(const auto above, widen(reader.active_at(height + 1)));
    if (above) {
        TRY_ASSIGN(const BlockIndex index, widen(reader.require_index(*above)));
        head.child = index.header;
    }
    return head;
}

// Gives the entries of a stored state with a diff on top, keys ascending.
class EntryMerge {
  public:
    EntryMerge(SnapshotWriter& writer, const StateDiff& diff, const SnapshotListener& listener)
        : writer_(writer),
          next_(diff.writes.begin()),
          end_(diff.writes.end()),
          listener_(listener) {}

    Result<void, SnapshotError> stored(const StateKey& key, ByteSpan value) {
        TRY(written_before(&key));
        if (next_ != end_ && next_->key == key) return take_write();
        return put(key, value);
    }

    Result<void, SnapshotError> finish() { return written_before(nullptr); }

  private:
    using Writes = std::vector<StateWrite>::const_iterator;

    // All writes to keys below `key`, or to all that are left.
    Result<void, SnapshotError> written_before(const StateKey* key) {
        while (next_ != end_ && (key == nullptr || next_->key < *key)) TRY(take_write());
        return {};
    }

    Result<void, SnapshotError> take_write() {
        const StateWrite& write = *next_++;
        if (!write.value) return {};
        return put(write.key, *write.value);
    }

    Result<void, SnapshotError> put(const StateKey& key, ByteSpan value) {
        if (++entries_ % kReportEntries == 0 && listener_) listener_(entries_);
        return writer_.add(key, value);
    }

    SnapshotWriter& writer_;
    Writes next_;
    Writes end_;
    const SnapshotListener& listener_;
    std::uint64_t entries_ = 0;
};

// ------------------------------------------------------------------------------------------------
// import

// The indices that the headers derive, if they are a chain's: each judged as a node judges headers,
// the lowest by what the peaks below it say.
Result<std::vector<BlockIndex>, SnapshotError> derive_indices(const SnapshotHead& head,
                                                              const Network& network) {
    std::vector<BlockIndex> indices;
    indices.reserve(head.headers.size());  // `parent` points into it
    const BlockIndex* parent = nullptr;
    Hash256 parent_id;
    for (const SnapshotHeader& one : head.headers) {
        const Template& tmpl = one.header.tmpl;
        const Hash256 id = header_id(one.header);
        if (parent != nullptr) {
            const auto checked =
                validate_header(one.header, make_parent_context(parent_id, *parent),
                                network.params(), tmpl.time_ms);
            if (!checked || one.unit_work != parent->child_unit_work) {
                return fail(SnapshotError::bad_headers);
            }
            indices.back().state_root = tmpl.state_root;
        } else if (tmpl.height == 0) {
            if (id != network.genesis.id || one.child_task != kGenesisTask ||
                one.child_unit_work != network.task->unit_work || one.unit_work != 0) {
                return fail(SnapshotError::bad_headers);
            }
        } else if (!check_header_form(one.header, network.params())) {
            return fail(SnapshotError::bad_headers);
        }
        const MmrPeaks& before = parent != nullptr ? parent->history : head.before;
        if (before.leaf_count() != tmpl.height || before.root() != tmpl.history_root) {
            return fail(SnapshotError::bad_headers);
        }
        BlockIndex index;
        index.header = one.header;
        const U256 work_before = work_below(before);
        index.cumulative_work = saturating_add(work_before, block_work(tmpl.bits));
        index.history = before;
        if (!index.history.append(
                {id, tmpl.height, tmpl.time_ms, work_before, index.cumulative_work})) {
            return fail(SnapshotError::bad_headers);
        }
        index.unit_work = one.unit_work;
        index.child_task = one.child_task;
        index.child_unit_work = one.child_unit_work;
        index.hits = one.hits;
        index.replayed_units = one.replayed_units;
        index.shares = one.shares;
        index.share_hits = one.share_hits;
        index.share_units = one.share_units;
        indices.push_back(std::move(index));
        parent = &indices.back();
        parent_id = id;
    }
    indices.back().state_root = head.state_root;
    return indices;
}

// Whether the child stands on the last header and on the state.
Result<void, SnapshotError> check_child(const SnapshotHead& head, const BlockIndex& last,
                                        const ConsensusParams& params) {
    if (!head.child) return {};
    const auto checked =
        validate_header(*head.child, make_parent_context(header_id(last.header), last), params,
                        head.child->tmpl.time_ms);
    if (!checked || head.child->tmpl.state_root != head.state_root) {
        return fail(SnapshotError::wrong_child);
    }
    return {};
}

Result<void, SnapshotError> check_pin(const SnapshotHead& head, const Hash256& pin) {
    if (pin == head.state_root) return {};
    if (head.child && pin == header_id(*head.child)) return {};
    return fail(pin == header_id(head.headers.back().header) ? SnapshotError::pin_of_block
                                                             : SnapshotError::wrong_pin);
}

// Whether a state is the one after a block. Its pending round names the block's own segment, whose
// id hangs on the header's template, and so on all headers below, and on its last digest.
Done check_state(const StateView& state, const BlockIndex& last, const Network& network) {
    const Header& header = last.header;
    const Hash256 id = header_id(header);
    if (last.height() == 0) {
        if (last.state_root != network.genesis.state_root)
            return broken(SnapshotError::wrong_block);
    } else {
        TRY_ASSIGN(const auto pending, widen(read_entry<PendingRound>(state, pending_round_key())));
        const PendingRound wanted{last.height(), header.tmpl.task,
                                  segment_id(template_hash(header.tmpl), header.last_digest)};
        if (pending != wanted) return broken(SnapshotError::wrong_block);
        TRY_ASSIGN(const auto own,
                   widen(read_entry<Contribution>(state, contribution_key(wanted.winner))));
        if (!own || own->units != header.units) return broken(SnapshotError::wrong_block);
    }
    TRY_ASSIGN(const auto task, widen(draw_task(state, id, network.params())));
    TRY_ASSIGN(const auto record, widen(read_entry<TaskRecord>(state, task_key(task))));
    if (task != last.child_task || !record || unit_work(*record) != last.child_unit_work) {
        return broken(SnapshotError::wrong_task);
    }
    return {};
}

class Import {
  public:
    Import(const Network& network, KeyValueStore& store, SnapshotReader& reader,
           const SnapshotListener& listener) noexcept
        : network_(network), store_(store), reader_(reader), listener_(listener) {}

    Result<SnapshotSummary, SnapshotFailure> run(const std::vector<BlockIndex>& indices) {
        TRY(begin());
        auto failed = fill(indices);
        if (failed) {
            return summary_of(reader_.head(), reader_.end(), indices.back().cumulative_work,
                              reader_.size_bytes());
        }
        // Best effort: what can't be erased now is erased by the next import.
        static_cast<void>(erase_all());
        return fail(std::move(failed).error());
    }

  private:
    Done begin() {
        const BlockReader records(store_);
        TRY_ASSIGN(const bool unfinished, widen(records.importing()));
        TRY_ASSIGN(const auto info, widen(records.info()));
        if (info) return broken(SnapshotError::not_empty);
        if (unfinished) {
            TRY(widen(erase_all()));
        } else {
            bool holds_anything = false;
            TRY(widen(store_.scan({}, [&](ByteSpan, ByteSpan) {
                holds_anything = true;
                return false;
            })));
            if (holds_anything) return broken(SnapshotError::not_empty);
        }
        WriteBatch batch;
        BlockWriter(batch).put_import_mark();
        return widen(store_.write(batch, Durability::synced));
    }

    Done fill(const std::vector<BlockIndex>& indices) {
        TRY(take_entries());
        TRY_ASSIGN(const Hash256 root, widen(build_tree()));
        if (root != reader_.head().state_root) return broken(SnapshotError::wrong_root);
        TRY(check_state(StoredState(store_.snapshot()), indices.back(), network_));
        return widen(finish(indices));
    }

    Done take_entries() {
        WriteBatch batch;
        for (;;) {
            TRY_ASSIGN(auto entries, widen(reader_.next()));
            if (listener_) listener_(reader_.size_bytes());
            StateDiff diff;
            for (SnapshotEntry& entry : entries) {
                put_leaf(batch, {state_path(entry.key), state_value_hash(entry.value)});
                diff.writes.push_back(
                    {std::move(entry.key), std::make_shared<const Bytes>(std::move(entry.value))});
            }
            put_state_diff(batch, diff);
            TRY(widen(flush(batch, entries.empty() ? 0 : kImportBatchBytes)));
            if (entries.empty()) return {};
        }
    }

    // Writes a batch that has grown to some size.
    Result<void, StoreError> flush(WriteBatch& batch, std::size_t from_bytes) {
        if (batch.empty() || batch.size_bytes() < from_bytes) return {};
        TRY(store_.write(batch, Durability::buffered));
        batch = WriteBatch();
        return {};
    }

    // Builds the tree from the leaves, and erases them on the way.
    Result<Hash256, StoreError> build_tree() {
        WriteBatch batch;
        StateTreeBuilder builder([&](const TreePosition& position, const TreeNode& node) {
            put_tree_node(batch, position, node);
        });
        Result<void, StoreError> verdict;
        const auto leaves = store_.snapshot();
        TRY(scan_leaves(*leaves, [&](const StateLeaf& leaf) {
            builder.add(leaf);
            erase_leaf(batch, leaf);
            verdict = flush(batch, kImportBatchBytes);
            return verdict.has_value();
        }));
        TRY(verdict);
        const Hash256 root = builder.finish();
        TRY(flush(batch, 0));
        return root;
    }

    // From here on the store is a chain.
    Result<void, StoreError> finish(const std::vector<BlockIndex>& indices) {
        const SnapshotHead& head = reader_.head();
        WriteBatch batch;
        BlockWriter writer(batch);
        const auto& below = head.before;
        const auto positions = mmr_peak_positions(below.leaf_count());
        for (std::size_t i = 0; i < positions.size(); ++i) {
            writer.put_history_node(positions[i], below.peaks()[i]);
        }
        MmrPeaks history = below;
        for (const BlockIndex& index : indices) {
            const Hash256 id = header_id(index.header);
            const auto nodes = history.append({id, index.height(), index.header.tmpl.time_ms,
                                               work_below(history), index.cumulative_work});
            CHECK(nodes);  // derive_indices has done the same
            for (const MmrPlacedNode& placed : *nodes) {
                writer.put_history_node(placed.position, placed.node);
            }
            writer.put_index(id, index);
            writer.put_active(index.height(), id);
            writer.put_tip(id);
        }
        const std::uint64_t next = indices.back().height() + 1;
        writer.put_kept({indices.front().height(), next, next, next});
        if (indices.front().height() == 0) {
            const Genesis& genesis = network_.genesis;
            writer.put_block(genesis.id, Block{genesis.header, {}, {}, {}});
            TRY_ASSIGN(const StateDiff undo, invert(genesis.state, EmptyState()));
            writer.put_diff(genesis.id, undo);
        }
        writer.put_info({kSchemaVersion, network_.genesis.id});
        writer.erase_import_mark();
        return store_.write(batch, Durability::synced);
    }

    // The mark goes last.
    Result<void, StoreError> erase_all() {
        for (;;) {
            WriteBatch batch;
            const auto pairs = store_.snapshot();
            TRY(pairs->scan({}, [&](ByteSpan key, ByteSpan) {
                WriteBatch mark;
                BlockWriter(mark).erase_import_mark();
                if (!std::ranges::equal(key, mark.operations().front().key)) {
                    batch.erase({key.begin(), key.end()});
                }
                return batch.operations().size() < kEraseBatchKeys;
            }));
            const bool last = batch.operations().size() < kEraseBatchKeys;
            if (last) BlockWriter(batch).erase_import_mark();
            TRY(store_.write(batch, last ? Durability::synced : Durability::buffered));
            if (last) return {};
        }
    }

    const Network& network_;
    KeyValueStore& store_;
    SnapshotReader& reader_;
    const SnapshotListener& listener_;
};

}  // namespace

std::string describe(const SnapshotFailure& failure) {
    if (const auto* rule = std::get_if<SnapshotError>(&failure)) {
        return std::string(describe(*rule));
    }
    return std::get<StoreError>(failure).message;
}

Result<SnapshotSummary, SnapshotFailure> export_snapshot(const KeyValueStore& store,
                                                         std::uint64_t height, std::ostream& out,
                                                         const SnapshotListener& listener) {
    const auto view = store.snapshot();
    const BlockReader reader(*view);
    TRY_ASSIGN(const SnapshotHead head, make_head(reader, height));
    TRY_ASSIGN(const auto tip, widen(reader.tip()));
    TRY_ASSIGN(const BranchPath path,
               widen(path_from_tip(*view, *tip, header_id(head.headers.back().header))));
    TRY_ASSIGN(const StateDiff diff, widen(diff_along(reader, path)));

    SnapshotWriter writer(out);
    TRY(widen(writer.begin(head)));
    EntryMerge merge(writer, diff, listener);
    Result<void, SnapshotError> verdict;
    TRY(widen(StoredState(view).scan([&](const StateKey& key, ByteSpan value) {
        verdict = merge.stored(key, value);
        return verdict.has_value();
    })));
    TRY(widen(verdict));
    TRY(widen(merge.finish()));
    TRY_ASSIGN(const SnapshotEnd end, widen(writer.finish()));
    return summary_of(head, end, claimed_work(head), writer.size_bytes());
}

Result<SnapshotSummary, SnapshotFailure> inspect_snapshot(std::istream& in,
                                                          const SnapshotListener& listener) {
    TRY_ASSIGN(SnapshotReader reader, widen(SnapshotReader::open(in)));
    for (;;) {
        TRY_ASSIGN(const auto entries, widen(reader.next()));
        if (listener) listener(reader.size_bytes());
        if (entries.empty()) break;
    }
    return summary_of(reader.head(), reader.end(), claimed_work(reader.head()),
                      reader.size_bytes());
}

Result<SnapshotSummary, SnapshotFailure> import_snapshot(const Network& network,
                                                         KeyValueStore& store, std::istream& in,
                                                         const Hash256& pin,
                                                         const SnapshotListener& listener) {
    TRY_ASSIGN(SnapshotReader reader, widen(SnapshotReader::open(in)));
    const SnapshotHead& head = reader.head();
    if (head.genesis != network.genesis.id) return broken(SnapshotError::wrong_network);
    TRY_ASSIGN(const auto indices, widen(derive_indices(head, network)));
    TRY(widen(check_child(head, indices.back(), network.params())));
    TRY(widen(check_pin(head, pin)));
    return Import(network, store, reader, listener).run(indices);
}

}  // namespace gradient::chain
