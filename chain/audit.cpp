#include "chain/audit.hpp"

#include "chain/base/check.hpp"
#include "chain/block_verifier.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/parent_state.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/storage/stored_state.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/verification.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/unit.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::chain {

namespace {

using Parameters = std::vector<std::int32_t>;

// Why a block fails the audit: one sentence.
struct Complaint {
    std::string text;
};

Complaint complaint(const StoreError& error) {
    return {error.message};
}

template <class Error>
Complaint complaint(const Error& error) {
    return {std::string(describe(error))};
}

template <class... E>
Complaint complaint(const std::variant<E...>& error) {
    return std::visit([](const auto& one) { return complaint(one); }, error);
}

// The value of a result, or its error as a complaint.
template <class T, class E>
Result<T, Complaint> or_complaint(Result<T, E> result) {
    if (!result) return fail(complaint(result.error()));
    return *std::move(result);
}

template <class E>
Result<void, Complaint> or_complaint(const Result<void, E>& result) {
    if (!result) return fail(complaint(result.error()));
    return {};
}

// Replays every unit of a segment from theta_0.
Result<void, Complaint> replay_all(const CheckedSegment& segment, model::Trainer& trainer) {
    Parameters theta = *segment.start().parameters;
    const auto& states = segment.body().digests;
    for (std::uint32_t unit = 1; unit <= segment.body().units(); ++unit) {
        const auto outcome =
            run_unit(trainer, segment.template_hash(), unit, segment.digests()[unit - 1], theta);
        if (!outcome) return fail(Complaint{std::string(model::describe(outcome.error()))});
        if (outcome->state != states[unit - 1]) {
            return fail(Complaint{"the replay of unit " + std::to_string(unit) +
                                  " gives another digest than the segment claims"});
        }
    }
    return {};
}

class Audit {
  public:
    Audit(std::shared_ptr<const Network> network, const KeyValueView& store, AuditDepth depth,
          model::EngineKind engine)
        : network_(std::move(network)),
          stored_(std::shared_ptr<void>(), &store),
          reader_(store),
          depth_(depth),
          catalog_(network_->task),
          trainers_(engine) {}

    Result<AuditReport, AuditFailure> run(const AuditListener& listener) {
        const auto opened = open();
        if (!opened) return fail(failure(opened.error()));
        for (;;) {
            if (listener && !listener(report_.progress)) return report_;
            if (report_.progress.height == report_.progress.tip_height) break;
            const auto audited = height_ + 1 < report_.first_block ? next_header() : next_block();
            if (!audited) return fail(failure(audited.error()));
        }
        const auto closed = close();
        if (!closed) return fail(failure(closed.error()));
        return report_;
    }

  private:
    AuditFailure failure(const Complaint& why) const { return {height_, id_, why.text}; }

    // Genesis and tip.
    Result<void, Complaint> open() {
        TRY_ASSIGN(const auto info, or_complaint(reader_.info()));
        if (!info) return fail(Complaint{"the directory holds no chain"});
        if (info->schema_version != kSchemaVersion || info->genesis != network_->genesis.id) {
            return fail(Complaint{"the directory belongs to another network or layout version"});
        }
        TRY_ASSIGN(const auto tip, or_complaint(reader_.tip()));
        if (!tip) return fail(Complaint{"the directory has no tip"});
        TRY_ASSIGN(const auto tip_index, or_complaint(reader_.require_index(*tip)));
        report_.progress.tip_height = tip_index.height();
        stored_tip_ = *tip;

        TRY_ASSIGN(kept_, or_complaint(reader_.kept()));
        TRY(find_first_block());
        if (kept_.headers > 0) return start_at_snapshot();
        return start_at_genesis();
    }

    // The first block from which on all bodies are whole. Beside what the record of pruning says,
    // a change of branch may have left stubs above.
    Result<void, Complaint> find_first_block() {
        report_.first_header = kept_.headers;
        report_.first_block = std::max<std::uint64_t>({1, kept_.headers + 1, kept_.bodies});
        if (kept_.bodies == 0) return {};
        const std::uint64_t tip_height = report_.progress.tip_height;
        for (std::uint64_t height = report_.first_block; height <= tip_height; ++height) {
            TRY_ASSIGN(const auto id, or_complaint(reader_.require_active_at(height)));
            TRY_ASSIGN(const auto stub, or_complaint(reader_.stub(id)));
            if (stub) report_.first_block = height + 1;
        }
        return {};
    }

    Result<void, Complaint> start_at_genesis() {
        id_ = network_->genesis.id;
        TRY_ASSIGN(const auto index, or_complaint(reader_.require_index(id_)));
        TRY_ASSIGN(const auto block, or_complaint(reader_.require_block(id_)));
        TRY_ASSIGN(const auto first, or_complaint(reader_.require_active_at(0)));
        if (first != id_ || block != Block{network_->genesis.header, {}, {}, {}}) {
            return fail(Complaint{"the stored genesis block is not the chain spec's"});
        }
        BlockIndex expected;
        expected.header = network_->genesis.header;
        expected.cumulative_work = block_work(expected.header.tmpl.bits);
        expected.child_unit_work = network_->task->unit_work;
        CHECK(expected.history.append(
            {id_, 0, expected.header.tmpl.time_ms, U256(), expected.cumulative_work}));
        if (report_.first_block == 1) return advance(expected, network_->genesis.state, index);
        expected.state_root = network_->genesis.state_root;
        if (expected != index) {
            return fail(Complaint{"the stored index of the block is not the derived one"});
        }
        return take_header(std::move(expected), {});
    }

    // The lowest header that a snapshot brought. The headers above commit to it.
    Result<void, Complaint> start_at_snapshot() {
        height_ = kept_.headers;
        TRY_ASSIGN(id_, or_complaint(reader_.require_active_at(height_)));
        TRY_ASSIGN(BlockIndex index, or_complaint(reader_.require_index(id_)));
        const auto& peaks = index.history.peaks();
        if (index.height() != height_ || index.history.leaf_count() != height_ + 1 ||
            peaks.back().work_after != index.cumulative_work) {
            return fail(Complaint{"the stored index of the block does not fit its height"});
        }
        return take_header(std::move(index), {});
    }

    // A block of which the header is left: every rule that needs no state, and what it commits to.
    Result<void, Complaint> next_header() {
        ++height_;
        id_ = {};
        TRY_ASSIGN(id_, or_complaint(reader_.require_active_at(height_)));
        TRY_ASSIGN(BlockIndex index, or_complaint(reader_.require_index(id_)));
        TRY_ASSIGN(
            const CheckedHeader header,
            or_complaint(validate_header(index.header, make_parent_context(report_.tip, parent_),
                                         network_->params(), index.header.tmpl.time_ms)));
        if (index.header.tmpl.state_root != parent_.state_root) {
            return fail(
                Complaint{"the stored state root is not the one that the header above has"});
        }
        MmrPeaks history = parent_.history;
        const U256 work = saturating_add(parent_.cumulative_work, header.work());
        const auto appended = history.append(
            {id_, height_, index.header.tmpl.time_ms, parent_.cumulative_work, work});
        CHECK(appended);
        if (index.cumulative_work != work || index.history != history ||
            index.unit_work != parent_.child_unit_work) {
            return fail(Complaint{"the stored index of the block is not the derived one"});
        }
        TRY(check_stub(index.header.tmpl));
        return take_header(std::move(index), *appended);
    }

    Result<void, Complaint> check_stub(const Template& tmpl) {
        TRY_ASSIGN(const auto stub, or_complaint(reader_.stub(id_)));
        if (!stub) {
            if (height_ < kept_.stubs) return {};
            return fail(Complaint{"the stored stub of the block is missing"});
        }
        TRY_ASSIGN(const auto included, or_complaint(reader_.included(id_)));
        if (stub_transaction_root(*stub) != tmpl.transaction_root ||
            settle_root(included.listed) != tmpl.settle_root) {
            return fail(
                Complaint{"the stored stub of the block is not what its header commits to"});
        }
        return check_transaction_heights(stub_transaction_ids(*stub));
    }

    Result<void, Complaint> check_transaction_heights(const std::vector<Hash256>& transactions) {
        for (const Hash256& each : transactions) {
            TRY_ASSIGN(const auto height, or_complaint(reader_.transaction_height(each)));
            if (height != height_) {
                return fail(Complaint{
                    "the stored height of a transaction is not that of the block including it"});
            }
        }
        return {};
    }

    Result<void, Complaint> check_nodes(const std::vector<MmrPlacedNode>& nodes) {
        for (const MmrPlacedNode& placed : nodes) {
            TRY_ASSIGN(const auto node, or_complaint(reader_.history_node(placed.position)));
            if (node != placed.node) {
                return fail(Complaint{"a stored history node is not the derived one"});
            }
        }
        return {};
    }

    Result<void, Complaint> take_header(BlockIndex index, const std::vector<MmrPlacedNode>& nodes) {
        TRY(check_nodes(nodes));
        parent_ = std::move(index);
        report_.tip = id_;
        report_.state_root = parent_.state_root;
        report_.progress.height = height_;
        if (height_ + 1 == report_.first_block) return go_back();
        return {};
    }

    // From the stored state after the tip back to the one after the last header without a body.
    Result<void, Complaint> go_back() {
        CombinedDiff entries;
        TRY(or_complaint(StoredState(stored_).scan([&](const StateKey& key, ByteSpan value) {
            entries.add({{{key, std::make_shared<const Bytes>(value.begin(), value.end())}}});
            return true;
        })));
        for (std::uint64_t height = report_.progress.tip_height; height > height_; --height) {
            TRY_ASSIGN(const auto id, or_complaint(reader_.require_active_at(height)));
            TRY_ASSIGN(StateDiff undo, or_complaint(reader_.require_diff(id)));
            entries.add(std::move(undo));
        }
        const StateDiff state = std::move(entries).take();
        const EmptyTree nothing;
        StateTree tree(nothing);
        TRY(or_complaint(tree.apply(state)));
        TRY_ASSIGN(const Hash256 root, or_complaint(tree.root()));
        if (root != parent_.state_root) {
            return fail(Complaint{
                "the stored state does not lead back to the state that the headers commit to"});
        }
        WriteBatch batch;
        put_state_diff(batch, state);
        put_tree_changes(batch, tree.changes());
        return or_complaint(scratch_->write(batch, Durability::buffered));
    }

    Result<void, Complaint> next_block() {
        ++height_;
        id_ = {};
        TRY_ASSIGN(id_, or_complaint(reader_.require_active_at(height_)));
        TRY_ASSIGN(Block stored_block, or_complaint(reader_.require_block(id_)));
        TRY_ASSIGN(const BlockIndex index, or_complaint(reader_.require_index(id_)));
        const auto block = std::make_shared<const Block>(std::move(stored_block));
        const ConsensusParams& params = network_->params();

        const StoredState state(scratch_);
        const ParentContext context = make_parent_context(report_.tip, parent_);
        TRY_ASSIGN(const CheckedHeader header,
                   or_complaint(validate_header(block->header, context, params,
                                                block->header.tmpl.time_ms)));
        TRY_ASSIGN(const auto needed, or_complaint(required_tasks(state, *block)));
        TRY_ASSIGN(const TaskSet tasks, or_complaint(load_tasks(state, needed, catalog_)));
        const BlockContext verification{state,
                                        parent_.state_root,
                                        context.time_ms,
                                        network_->genesis.id,
                                        network_->spec.network_id,
                                        params,
                                        tasks,
                                        trainers_};
        BlockVerifier verifier(block, header, verification);
        TRY(replay(verifier));
        TRY_ASSIGN(JudgedBlock judged, or_complaint(verifier.finish()));
        TRY(replay_claimed(verifier, tasks));
        TRY_ASSIGN(const auto included, or_complaint(reader_.included(id_)));
        if (included != judged.included) {
            return fail(Complaint{"the stored segment list of the block is not the derived one"});
        }
        TRY(check_transaction_heights(transaction_ids(block->transactions)));
        TRY(check_evidence(state, block->header, std::move(judged.evidence)));
        TRY_ASSIGN(BlockIndex expected,
                   or_complaint(make_index(state, parent_, header, judged, params)));
        report_.progress.units_claimed += block->header.units + judged.share_units;
        return advance(std::move(expected), judged.diff, index);
    }

    Result<void, Complaint> check_evidence(const StoredState& state, const Header& header,
                                           StandaloneEvidence derived) {
        const StateTree tree(state);
        TRY_ASSIGN(derived.task, or_complaint(prove_task(state, tree, header)));
        TRY_ASSIGN(const auto stored, or_complaint(reader_.evidence(id_)));
        if (stored == encode(derived)) return {};
        return fail(Complaint{"the stored evidence of the block's work is not the derived one"});
    }

    Result<void, Complaint> replay(BlockVerifier& verifier) {
        for (;;) {
            TRY_ASSIGN(const auto jobs, or_complaint(verifier.next()));
            if (jobs.empty()) return {};
            std::vector<ReplayedUnit> replays;
            for (const ReplayJob& job : jobs) {
                report_.progress.units_replayed += 1;
                TRY_ASSIGN(auto replayed,
                           or_complaint(replay_opening(job.segment, job.opening,
                                                       trainers_.trainer_of(job.task))));
                replays.push_back(std::move(replayed));
            }
            TRY(or_complaint(verifier.take(std::move(replays))));
        }
    }

    // At the greatest depth, every unit that the block's segments claim.
    Result<void, Complaint> replay_claimed(const BlockVerifier& verifier, const TaskSet& tasks) {
        if (depth_ != AuditDepth::all_units) return {};
        for (const CheckedSegment& segment : verifier.proven()) {
            report_.progress.units_replayed += segment.body().units();
            TRY(replay_all(segment, trainers_.trainer_of(tasks.find(segment.tmpl().task))));
        }
        return {};
    }

    // Completes what the block's index must be, compares it and the undo with what is stored, and
    // moves the derived state on.
    Result<void, Complaint> advance(BlockIndex expected, const StateDiff& diff,
                                    const BlockIndex& stored) {
        const StoredState state(scratch_);
        StateTree tree(state);
        TRY(or_complaint(tree.apply(diff)));
        TRY_ASSIGN(expected.state_root, or_complaint(tree.root()));
        if (expected.state_root != stored.state_root) {
            return fail(Complaint{"the stored state root is not the derived one"});
        }
        if (expected != stored) {
            return fail(Complaint{"the stored index of the block is not the derived one"});
        }
        MmrPeaks before = parent_.history;
        const auto appended = before.append({id_, height_, expected.header.tmpl.time_ms,
                                             parent_.cumulative_work, expected.cumulative_work});
        CHECK(appended);
        TRY(check_nodes(*appended));
        TRY_ASSIGN(const StateDiff undo, or_complaint(invert(diff, state)));
        TRY_ASSIGN(const StateDiff stored_undo, or_complaint(reader_.require_diff(id_)));
        if (undo != stored_undo) {
            return fail(Complaint{"the stored undo of the block is not the derived one"});
        }
        WriteBatch batch;
        put_state_diff(batch, diff);
        put_tree_changes(batch, tree.changes());
        TRY(or_complaint(scratch_->write(batch, Durability::buffered)));
        parent_ = std::move(expected);
        report_.tip = id_;
        report_.state_root = parent_.state_root;
        report_.progress.height = height_;
        return {};
    }

    // The stored state against the derived one.
    Result<void, Complaint> close() {
        if (report_.tip != stored_tip_) {
            return fail(Complaint{"the stored tip is not on the active chain"});
        }
        StateDiff entries;
        TRY(or_complaint(StoredState(stored_).scan([&](const StateKey& key, ByteSpan value) {
            const auto bytes = std::make_shared<const Bytes>(value.begin(), value.end());
            entries.writes.push_back({key, bytes});
            return true;
        })));
        const EmptyTree nothing;
        StateTree tree(nothing);
        TRY(or_complaint(tree.apply(entries)));
        TRY_ASSIGN(const Hash256 root, or_complaint(tree.root()));
        if (root != report_.state_root) {
            return fail(Complaint{"the stored state is not the derived one"});
        }
        TRY(compare_tree(tree.changes()));
        const StoredState state(scratch_);
        TRY_ASSIGN(const auto progress,
                   or_complaint(require_entry<TaskProgress>(state, progress_key(kGenesisTask))));
        report_.model = progress.model_digest;
        report_.complete = true;
        return {};
    }

    // The stored state tree against the one built from the stored entries, node by node.
    Result<void, Complaint> compare_tree(const StateTree::Changes& built) const {
        const StoredState stored(stored_);
        std::size_t nodes = 0;
        for (const auto& [position, node] : built) {
            TRY_ASSIGN(const auto stored_node, or_complaint(stored.node(position)));
            if (stored_node != node) {
                return fail(Complaint{"a node of the stored state tree at depth " +
                                      std::to_string(position.depth) +
                                      " is not the derived one, or missing"});
            }
            if (node) ++nodes;
        }
        TRY_ASSIGN(const std::size_t stored_nodes, or_complaint(stored.count_nodes()));
        if (stored_nodes != nodes) {
            return fail(Complaint{"the stored state tree has more nodes than the derived one"});
        }
        return {};
    }

    std::shared_ptr<const Network> network_;
    std::shared_ptr<const KeyValueView> stored_;
    BlockReader reader_;
    AuditDepth depth_;
    TaskCatalog catalog_;
    OwnTrainers trainers_;
    std::shared_ptr<MemoryStore> scratch_ = std::make_shared<MemoryStore>();
    KeptHistory kept_;
    std::uint64_t height_ = 0;
    Hash256 id_;
    Hash256 stored_tip_;
    BlockIndex parent_;
    AuditReport report_;
};

}  // namespace

std::string AuditFailure::to_string() const {
    return "block " + std::to_string(height) + " (" + id.to_hex() + "): " + rule;
}

Result<AuditReport, AuditFailure> audit_chain(std::shared_ptr<const Network> network,
                                              const KeyValueView& store, AuditDepth depth,
                                              const AuditListener& listener,
                                              model::EngineKind engine) {
    return Audit(std::move(network), store, depth, engine).run(listener);
}

}  // namespace gradient::chain
