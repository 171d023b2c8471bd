#pragma once

#include "chain/base/result.hpp"
#include "chain/consensus/genesis_spec.hpp"
#include "chain/consensus/params.hpp"
#include "chain/state/genesis_state.hpp"
#include "chain/tasks/task_runtime.hpp"

#include <cstdint>
#include <memory>

namespace gradient::chain {

/// A network: its chain spec and what follows from it. Immutable; any thread may read it.
struct Network {
    ChainSpec spec;
    Genesis genesis;
    SharedTask task;  ///< the genesis task

    [[nodiscard]] const ConsensusParams& params() const noexcept { return spec.params; }

    /// A trainer of the genesis task; one for each thread. Must not outlive the network.
    [[nodiscard]] Result<model::Trainer, model::TaskError> make_trainer(
        model::EngineKind engine = model::EngineKind::best) const {
        return task->make_trainer(engine);
    }
};

/// Derives everything from a chain spec; fails if the spec does not pass check_chain_spec.
[[nodiscard]] Result<std::shared_ptr<const Network>, SpecError> make_network(ChainSpec spec);

}  // namespace gradient::chain
