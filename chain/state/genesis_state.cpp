#include "chain/state/genesis_state.hpp"

#include "chain/base/check.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/types/block.hpp"
#include "chain/types/segment.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/task_model.hpp"

#include <memory>

namespace gradient::chain {

namespace {

StateDiff initial_state(const TaskRecord& task) {
    const auto theta = initial_parameters(task);
    TaskProgress progress;
    progress.model_digest = model_digest(theta);

    const EmptyState nothing;
    State state(nothing);
    state.put(task_key(task.id), task);
    state.put(progress_key(task.id), progress);
    state.set(model_key(task.id), std::make_shared<const Bytes>(encode_parameters(theta)));
    state.put(totals_key(), Totals{});
    state.put(task_list_key(), TaskList{});
    auto diff = state.diff();
    CHECK(diff);  // the empty state reads nothing that could fail
    return *std::move(diff);
}

}  // namespace

Genesis make_genesis(const ChainSpec& spec) {
    Genesis genesis;
    genesis.state = initial_state(genesis_task(spec));
    const EmptyTree nothing;
    StateTree tree(nothing);
    CHECK(tree.apply(genesis.state));
    genesis.state_root = tree.root().value();

    Template& tmpl = genesis.header.tmpl;
    tmpl.parent = spec_digest(spec);
    tmpl.time_ms = spec.params.anchor.time_ms;
    tmpl.bits = spec.params.anchor.bits;
    tmpl.settle_root = settle_root({});
    tmpl.transaction_root = transaction_root({});
    tmpl.state_root = genesis.state_root;
    tmpl.history_root = MmrPeaks().root();
    tmpl.task = kGenesisTask;
    genesis.id = header_id(genesis.header);
    return genesis;
}

}  // namespace gradient::chain
