#include "chain/audit.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/block_rules.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/parent_state.hpp"
#include "chain/transition/apply.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/storage/stored_state.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/segment_builder.hpp"
#include "chain/work/unit.hpp"

#include <utility>
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

// theta_K, by replaying every unit of the segment from theta_0.
Result<Parameters, Complaint> replay_all(const CheckedSegment& segment, model::Trainer& trainer) {
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
    return theta;
}

class Audit {
  public:
    Audit(std::shared_ptr<const Network> network, const KeyValueView& store, AuditDepth depth,
          model::Trainer trainer)
        : network_(std::move(network)),
          stored_(std::shared_ptr<void>(), &store),
          reader_(store),
          depth_(depth),
          trainer_(std::move(trainer)) {}

    Result<AuditReport, AuditFailure> run(const AuditListener& listener) {
        const auto opened = open();
        if (!opened) return fail(failure(opened.error()));
        for (;;) {
            if (listener && !listener(report_.progress)) return report_;
            if (report_.progress.height == report_.progress.tip_height) break;
            const auto audited = next_block();
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

        id_ = network_->genesis.id;
        TRY_ASSIGN(const auto index, or_complaint(reader_.require_index(id_)));
        TRY_ASSIGN(const auto block, or_complaint(reader_.require_block(id_)));
        TRY_ASSIGN(const auto first, or_complaint(reader_.require_active_at(0)));
        BlockIndex expected;
        expected.header = network_->genesis.header;
        expected.cumulative_work = block_work(expected.header.tmpl.bits);
        TRY(advance(expected, U256(), network_->genesis.state, index));
        if (first != id_ || block != Block{expected.header, {}, {}, {}}) {
            return fail(Complaint{"the stored genesis block is not the chain spec's"});
        }
        return {};
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
        const ParentContext context = make_parent_context(*network_, report_.tip, parent_);
        TRY_ASSIGN(const LaneStart start, or_complaint(lane_start(state, context.task, params)));
        TRY_ASSIGN(const CheckedHeader header,
                   or_complaint(validate_header(block->header, context, params,
                                                block->header.tmpl.time_ms)));
        TRY_ASSIGN(const CheckedBlock checked,
                   or_complaint(check_block(header, block, {parent_.state_root, start}, params)));
        TRY_ASSIGN(const Parameters theta, replay(checked));

        const CheckedSegment& winner = checked.winner();
        const WinnerOutcome outcome{winner.id(), static_cast<std::uint32_t>(winner.hits().size()),
                                    winner.body().units(), theta, header.targets()};
        TRY_ASSIGN(const StateDiff diff,
                   or_complaint(apply_block(state, block->header, outcome, params)));
        BlockIndex expected;
        expected.header = block->header;
        expected.cumulative_work = saturating_add(parent_.cumulative_work, header.work());
        expected.hits = outcome.hits;
        expected.replayed_units = static_cast<std::uint32_t>(winner.opening_count());
        expected.history = parent_.history;
        report_.progress.units_claimed += outcome.units;
        return advance(expected, parent_.cumulative_work, diff, index);
    }

    Result<Parameters, Complaint> replay(const CheckedBlock& block) {
        const CheckedSegment& winner = block.winner();
        std::uint64_t& replayed = report_.progress.units_replayed;
        switch (depth_) {
            case AuditDepth::winning_units: {
                replayed += 1;
                const WorkEvidence evidence = evidence_of(winner.body(), winner.digests());
                TRY_ASSIGN(const ProvenHeader proven,
                           or_complaint(verify_evidence(block.header(), evidence, winner.start(),
                                                        trainer_)));
                return proven.parameters();
            }
            case AuditDepth::openings: {
                replayed += winner.opening_count();
                TRY_ASSIGN(const ProvenSegment proven,
                           or_complaint(verify_segment(winner, trainer_)));
                return proven.parameters();
            }
            case AuditDepth::all_units:
                replayed += winner.body().units();
                return replay_all(winner, trainer_);
        }
        return fail(Complaint{"unknown audit depth"});
    }

    // Completes what the block's index must be, compares it and the undo with what is stored, and
    // moves the derived state on.
    Result<void, Complaint> advance(BlockIndex expected, const U256& work_before,
                                    const StateDiff& diff, const BlockIndex& stored) {
        const StoredState state(scratch_);
        StateTree tree(state);
        TRY(or_complaint(tree.apply(diff)));
        TRY_ASSIGN(expected.state_root, or_complaint(tree.root()));
        if (expected.state_root != stored.state_root) {
            return fail(Complaint{"the stored state root is not the derived one"});
        }
        const auto appended = expected.history.append(
            {id_, height_, expected.header.tmpl.time_ms, work_before, expected.cumulative_work});
        if (!appended || expected != stored) {
            return fail(Complaint{"the stored index of the block is not the derived one"});
        }
        for (const MmrPlacedNode& placed : *appended) {
            TRY_ASSIGN(const auto node, or_complaint(reader_.history_node(placed.position)));
            if (node != placed.node) {
                return fail(Complaint{"a stored history node is not the derived one"});
            }
        }
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
        TRY_ASSIGN(const LaneStart start,
                   or_complaint(lane_start(state, draw_task(report_.tip), network_->params())));
        report_.model = model_digest(*start.parameters);
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
    model::Trainer trainer_;
    std::shared_ptr<MemoryStore> scratch_ = std::make_shared<MemoryStore>();
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
    auto trainer = network->make_trainer(engine);
    if (!trainer) {
        return fail(
            AuditFailure{0, network->genesis.id, std::string(model::describe(trainer.error()))});
    }
    return Audit(std::move(network), store, depth, *std::move(trainer)).run(listener);
}

}  // namespace gradient::chain
