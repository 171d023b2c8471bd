#include "chain/ledger.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/storage/record.hpp"
#include "chain/storage/stored_state.hpp"
#include "chain/stored_history.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

namespace gradient::chain {

namespace {

// Levels at which the leaf of a height completes a node of the range.
std::vector<MmrPosition> completed_nodes(std::uint64_t height) {
    std::vector<MmrPosition> positions;
    for (std::uint8_t level = 0; level < 64; ++level) {
        const std::uint64_t leaves = std::uint64_t{1} << level;
        if ((height + 1) % leaves != 0) break;
        positions.push_back({level, (height + 1) / leaves - 1});
    }
    return positions;
}

MmrLeaf leaf_of(const Hash256& id, const BlockIndex& index, const U256& work_before) {
    return {id, index.height(), index.header.tmpl.time_ms, work_before, index.cumulative_work};
}

// Adds what becomes of the range when a block joins the active chain.
Result<void, StoreError> add_history(BlockWriter& writer, const Hash256& id,
                                     const BlockIndex& index, const MmrPeaks& before,
                                     const U256& work_before) {
    MmrPeaks peaks = before;
    const auto nodes = peaks.append(leaf_of(id, index, work_before));
    if (!nodes || peaks != index.history) {
        return fail(damaged("header " + id.to_hex(), "its history does not continue its parent's"));
    }
    for (const MmrPlacedNode& placed : *nodes)
        writer.put_history_node(placed.position, placed.node);
    return {};
}

SubmitError submit_error(StoreError error) {
    if (error.fault == StoreFault::pruned) return LedgerError::pruned;
    return error;
}

void apply_to(State& state, const StateDiff& diff) {
    for (const StateWrite& write : diff.writes) state.set(write.key, write.value);
}

}  // namespace

Ledger::Ledger(std::shared_ptr<const Network> network, std::unique_ptr<KeyValueStore> store)
    : network_(std::move(network)),
      store_(std::move(store)),
      tools_{TaskCatalog(network_->task), OwnTrainers()} {}

Result<std::unique_ptr<Ledger>, StoreError> Ledger::open(std::shared_ptr<const Network> network,
                                                         std::unique_ptr<KeyValueStore> store) {
    std::unique_ptr<Ledger> ledger(new Ledger(std::move(network), std::move(store)));
    TRY_ASSIGN(const auto info, BlockReader(*ledger->store_).info());
    if (info) {
        TRY(ledger->check_owner(*info));
    } else {
        TRY(ledger->start_chain());
    }
    TRY(ledger->load_tip());
    return ledger;
}

Result<void, StoreError> Ledger::check_owner(const StoreInfo& info) const {
    if (info.schema_version != kSchemaVersion) {
        return fail(StoreError{
            StoreFault::foreign,
            "the data directory has layout version " + std::to_string(info.schema_version) +
                " and this program reads version " + std::to_string(kSchemaVersion) +
                "; use the program that wrote it, or another directory"});
    }
    if (info.genesis != network_->genesis.id) {
        return fail(StoreError{StoreFault::foreign,
                               "the data directory belongs to the network with genesis block " +
                                   info.genesis.to_hex() + " and the chain spec is that of " +
                                   network_->genesis.id.to_hex() +
                                   "; use the network's own chain spec, or another directory"});
    }
    return {};
}

Result<void, StoreError> Ledger::start_chain() {
    TRY_ASSIGN(const bool importing, BlockReader(*store_).importing());
    if (importing) {
        return fail(
            StoreError{StoreFault::corrupt,
                       "the data directory holds an unfinished import of a snapshot; import "
                       "it again, or delete the directory"});
    }
    bool holds_anything = false;
    TRY(store_->scan({}, [&](ByteSpan, ByteSpan) {
        holds_anything = true;
        return false;
    }));
    if (holds_anything)
        return fail(damaged("store info", "it is missing, and other records exist"));
    const Genesis& genesis = network_->genesis;
    BlockIndex index;
    index.header = genesis.header;
    index.cumulative_work = block_work(genesis.header.tmpl.bits);
    index.state_root = genesis.state_root;
    index.child_unit_work = network_->task->unit_work;
    CHECK(index.history.append(leaf_of(genesis.id, index, U256())));

    WriteBatch batch;
    BlockWriter writer(batch);
    writer.put_info({kSchemaVersion, genesis.id});
    writer.put_tip(genesis.id);
    writer.put_active(0, genesis.id);
    writer.put_index(genesis.id, index);
    writer.put_block(genesis.id, Block{genesis.header, {}, {}, {}});
    TRY(add_history(writer, genesis.id, index, MmrPeaks(), U256()));
    TRY_ASSIGN(const StateDiff undo, invert(genesis.state, EmptyState()));
    writer.put_diff(genesis.id, undo);
    const EmptyTree nothing;
    StateTree tree(nothing);
    TRY(tree.apply(genesis.state));
    put_state_diff(batch, genesis.state);
    put_tree_changes(batch, tree.changes());
    return store_->write(batch, Durability::synced);
}

Result<void, StoreError> Ledger::load_tip() {
    TRY_ASSIGN(const auto id, BlockReader(*store_).tip());
    if (!id) return fail(damaged("tip", "it is missing"));
    TRY_ASSIGN(tip_, ParentState::at(network_, *store_, *id, *id, tools_));
    TRY_ASSIGN(const Hash256 root, tip_->root_after({}));
    if (root != tip_->index().state_root) {
        return fail(damaged("state", "its root is not that of block " + id->to_hex()));
    }
    return {};
}

Result<Candidate, SubmitError> Ledger::admit(std::shared_ptr<const Block> block,
                                             std::uint64_t now_ms, const U256& branch_work) {
    if (halted_) return fail(SubmitError(LedgerError::halted));
    const Hash256 id = header_id(block->header);
    const Hash256& parent_id = block->header.tmpl.parent;
    if (condemned_.contains(id)) return fail(SubmitError(LedgerError::condemned));
    TRY_ASSIGN(const auto known, index(id));
    if (known) return fail(SubmitError(LedgerError::duplicate));
    if (const auto form = check_header_form(block->header, network_->params()); !form) {
        return fail(SubmitError(RuleError(form.error())));
    }
    if (condemned_.contains(parent_id)) {
        const SubmitError error = LedgerError::condemned;
        condemn(id, error);
        return fail(error);
    }
    TRY_ASSIGN(const auto parent_index, index(parent_id));
    if (!parent_index) return fail(SubmitError(RuleError(HeaderError::unknown_parent)));
    const auto header = validate_header(
        block->header, make_parent_context(parent_id, *parent_index), network_->params(), now_ms);
    if (!header) return fail(SubmitError(RuleError(header.error())));
    const U256 work = saturating_add(parent_index->cumulative_work, header->work());
    if (std::max(work, branch_work) <= work_floor()) {
        return fail(SubmitError(LedgerError::too_little_work));
    }
    // Only now the state after the parent, which on a deep branch takes many diffs.
    auto parent = state_after(parent_id);
    if (!parent) return fail(submit_error(std::move(parent).error()));
    const StateView& state = (*parent)->state();
    TRY_ASSIGN(const auto needed, required_tasks(state, *block));
    TRY_ASSIGN(TaskSet tasks, load_tasks(state, needed, tools_.catalog));
    return Candidate(*header, std::move(block), *std::move(parent), std::move(tasks));
}

Result<ShareCandidate, SubmitError> Ledger::admit_share(std::shared_ptr<const Segment> segment) {
    if (halted_) return fail(SubmitError(LedgerError::halted));
    TRY_ASSIGN(const auto needed, tasks_of_open_rounds(tip_->state(), tip_->height() + 1));
    TRY_ASSIGN(TaskSet tasks, load_tasks(tip_->state(), needed, tools_.catalog));
    return ShareCandidate(std::move(segment), tip_, std::move(tasks));
}

Result<SharedTask, StoreError> Ledger::task(std::uint32_t id) {
    return tools_.catalog.load(tip_->state(), id);
}

U256 Ledger::work_floor() const noexcept {
    const U256 recent =
        saturating_mul(block_work(tip_->index().header.tmpl.bits), kSideBranchBlocks);
    return checked_sub(tip_->index().cumulative_work, recent).value_or(U256());
}

void Ledger::condemn(const Hash256& id, const SubmitError& error) {
    if (blame(error) != Consequence::invalid) return;
    const auto* rule = std::get_if<RuleError>(&error);
    if (rule && std::holds_alternative<HeaderError>(*rule)) return;
    if (!condemned_.insert(id).second) return;
    condemned_order_.push_back(id);
    if (condemned_order_.size() <= kMaxCondemned) return;
    condemned_.erase(condemned_order_.front());
    condemned_order_.pop_front();
}

Result<CommitOutcome, SubmitError> Ledger::commit(const VerifiedBlock& verified) {
    if (halted_) return fail(SubmitError(LedgerError::halted));
    TRY_ASSIGN(const auto known, index(verified.id()));
    if (known) return fail(SubmitError(LedgerError::duplicate));

    const Hash256 old_tip = tip_->id();
    const Hash256& parent = verified.block().header.tmpl.parent;
    const bool is_best = verified.index().cumulative_work > tip_->index().cumulative_work;
    WriteBatch batch;
    BlockWriter writer(batch);
    writer.put_index(verified.id(), verified.index());
    writer.put_block(verified.id(), verified.block());
    writer.put_included(verified.id(), verified.included());
    writer.put_evidence(verified.id(), encode(verified.evidence()));
    // A branch whose fork has been pruned since it was admitted leads nowhere.
    auto path = path_from_tip(*store_, old_tip, parent);
    if (!path) return fail(submit_error(std::move(path).error()));
    if (is_best) {
        TRY(add_tip_move(batch, *path, verified));
    } else {
        writer.put_diff(verified.id(), verified.diff());
        writer.put_side({verified.index().height(), verified.id()});
    }
    if (auto written = store_->write(batch, Durability::synced); !written) {
        halted_ = true;
        return fail(SubmitError(std::move(written).error()));
    }
    if (!is_best) return CommitOutcome::side_branch;

    auto loaded = ParentState::at(network_, *store_, verified.id(), verified.id(), tools_);
    if (!loaded) {
        halted_ = true;  // the block is durable, but this process can't go on from it
        return fail(SubmitError(std::move(loaded).error()));
    }
    tip_ = *std::move(loaded);
    path->redone.push_back(verified.id());
    const auto outcome =
        path->undone.empty() ? CommitOutcome::extended : CommitOutcome::reorganised;
    if (listener_) {
        listener_({old_tip, tip_, verified.shared_block(), std::move(path->undone),
                   std::move(path->redone)});
    }
    return outcome;
}

// Leads state, tree, range and height index from the tip along the path and on to the last block.
// On the way every stored diff turns round: of a block that leaves the active chain the one that
// leads to it is kept, of one that joins it the one that undoes it.
Result<void, StoreError> Ledger::add_tip_move(WriteBatch& batch, const BranchPath& path,
                                              const VerifiedBlock& last) const {
    const BlockReader reader(*store_);
    BlockWriter writer(batch);
    const StoredState stored(store_->snapshot());
    State state(stored);
    std::uint64_t height = tip_->height();
    for (const Hash256& id : path.undone) {
        TRY_ASSIGN(const StateDiff undo, reader.require_diff(id));
        TRY_ASSIGN(const StateDiff redo, invert(undo, state));
        writer.put_diff(id, redo);
        apply_to(state, undo);
        writer.erase_active(height);
        writer.put_side({height, id});
        TRY_ASSIGN(const auto transactions, reader.transaction_ids(id));
        for (const Hash256& each : transactions) writer.erase_transaction(each);
        for (const MmrPosition position : completed_nodes(height)) {
            writer.erase_history_node(position);
        }
        --height;
    }

    // Above the fork the new branch's bodies are whole.
    TRY_ASSIGN(KeptHistory kept, reader.kept());
    if (height + 1 < kept.bodies) {
        kept.bodies = height + 1;
        writer.put_kept(kept);
    }
    TRY_ASSIGN(const Hash256 fork, reader.require_active_at(height));
    TRY_ASSIGN(BlockIndex parent, reader.require_index(fork));
    const auto join = [&](const Hash256& id, const BlockIndex& index, const StateDiff& redo,
                          const std::vector<Hash256>& transactions) -> Result<void, StoreError> {
        TRY_ASSIGN(const StateDiff undo, invert(redo, state));
        writer.put_diff(id, undo);
        apply_to(state, redo);
        writer.put_active(index.height(), id);
        for (const Hash256& each : transactions) writer.put_transaction(each, index.height());
        TRY(add_history(writer, id, index, parent.history, parent.cumulative_work));
        parent = index;
        return {};
    };
    for (const Hash256& id : path.redone) {
        TRY_ASSIGN(const BlockIndex index, reader.require_index(id));
        TRY_ASSIGN(const StateDiff redo, reader.require_diff(id));
        writer.erase_side({index.height(), id});
        TRY_ASSIGN(const auto transactions, reader.transaction_ids(id));
        TRY(join(id, index, redo, transactions));
    }
    TRY(join(last.id(), last.index(), last.diff(), transaction_ids(last.block().transactions)));
    writer.put_tip(last.id());

    if (path.undone.empty() && path.redone.empty() && last.tree_changes()) {
        // The tip is the parent, against which diff and tree have been worked out.
        put_state_diff(batch, last.diff());
        put_tree_changes(batch, *last.tree_changes());
        return {};
    }
    TRY_ASSIGN(const StateDiff net, state.diff());
    StateTree tree(stored);
    TRY(tree.apply(net));
    TRY_ASSIGN(const Hash256 root, tree.root());
    if (root != last.index().state_root) {
        return fail(damaged(
            "state", "the way to block " + last.id().to_hex() + " leads to another state root"));
    }
    put_state_diff(batch, net);
    put_tree_changes(batch, tree.changes());
    return {};
}

Result<CommitOutcome, SubmitError> Ledger::submit_block(std::shared_ptr<const Block> block,
                                                        std::uint64_t now_ms, Trainers& trainers) {
    TRY_ASSIGN(const Candidate candidate, admit(std::move(block), now_ms));
    const auto verified = verify_candidate(candidate, trainers);
    if (!verified) {
        condemn(candidate.id(), verified.error());
        return fail(verified.error());
    }
    return commit(*verified);
}

Result<PruneStep, StoreError> Ledger::prune(const PrunePolicy& policy) {
    if (halted_) {
        return fail(StoreError{StoreFault::failed, describe(SubmitError(LedgerError::halted))});
    }
    WriteBatch batch;
    TRY_ASSIGN(const PruneStep step, add_prune_step(batch, *store_, tip_->height(), work_floor(),
                                                    network_->params(), policy, kPruneStepBlocks));
    if (batch.empty()) return step;
    // What a power cut takes back is pruned again.
    if (auto written = store_->write(batch, Durability::buffered); !written) {
        halted_ = true;
        return fail(std::move(written).error());
    }
    return step;
}

Result<std::optional<Ledger::BlockOutline>, StoreError> Ledger::outline(const Hash256& id) const {
    const BlockReader reader(*store_);
    TRY_ASSIGN(const auto index, reader.index(id));
    if (!index) return std::nullopt;
    TRY_ASSIGN(auto stub, reader.stub(id));
    if (!stub) {
        TRY_ASSIGN(const auto whole, reader.block(id));
        if (!whole) return std::nullopt;
        stub = stub_of(*whole);
    }
    BlockOutline outline;
    TRY_ASSIGN(outline.segments, reader.included(id));
    outline.stub = *std::move(stub);
    const Template& tmpl = index->header.tmpl;
    if (stub_transaction_root(outline.stub) != tmpl.transaction_root ||
        settle_root(outline.segments.listed) != tmpl.settle_root) {
        return fail(damaged("stub of block " + id.to_hex(), "its header has other roots"));
    }
    return outline;
}

Result<std::optional<StandaloneEvidence>, StoreError> Ledger::evidence(const Hash256& id) const {
    TRY_ASSIGN(const auto encoded, BlockReader(*store_).evidence(id));
    if (!encoded) return std::nullopt;
    auto evidence = decode_exact<StandaloneEvidence>(*encoded);
    if (!evidence) {
        return fail(damaged("evidence of block " + id.to_hex(), to_string(evidence.error())));
    }
    return *std::move(evidence);
}

Result<std::optional<HistoryTail>, StoreError> Ledger::tail(const Hash256& tip,
                                                            std::size_t blocks) const {
    return StoredHistory(*store_).tail(tip, blocks);
}

Result<std::optional<std::vector<HistorySample>>, StoreError> Ledger::samples(
    const Hash256& anchor, std::span<const U256> works) const {
    return StoredHistory(*store_).samples(anchor, works);
}

Result<std::optional<Bytes>, StoreError> Ledger::task_chunk(std::uint32_t task,
                                                            std::uint32_t chunk) const {
    const StateView& state = tip_->state();
    TRY_ASSIGN(const auto list, read_entry<TaskData>(state, task_data_key(task)));
    if (!list || chunk >= list->chunks.size()) return std::nullopt;
    TRY_ASSIGN(const StateValue bytes, state.get(data_chunk_key(list->chunks[chunk])));
    if (!bytes) return std::nullopt;
    return *bytes;
}

Result<KeptHistory, StoreError> Ledger::kept() const {
    return BlockReader(*store_).kept();
}

Result<std::optional<BlockIndex>, StoreError> Ledger::index(const Hash256& id) const {
    return BlockReader(*store_).index(id);
}

Result<std::optional<Block>, StoreError> Ledger::block(const Hash256& id) const {
    return BlockReader(*store_).block(id);
}

Result<std::optional<std::uint64_t>, StoreError> Ledger::transaction_height(
    const Hash256& transaction) const {
    return BlockReader(*store_).transaction_height(transaction);
}

Result<std::optional<Hash256>, StoreError> Ledger::id_at(std::uint64_t height) const {
    return BlockReader(*store_).active_at(height);
}

Result<std::shared_ptr<const ParentState>, StoreError> Ledger::state_after(const Hash256& id) {
    if (id == tip_->id()) return tip_;
    return ParentState::at(network_, *store_, tip_->id(), id, tools_);
}

}  // namespace gradient::chain
