#pragma once

#include "chain/base/bytes.hpp"
#include "chain/consensus/params.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/types/header.hpp"

namespace gradient::chain {

/// What a chain is judged by without its state: all of it follows from the chain spec.
struct LightNetwork {
    ConsensusParams params;
    Header genesis;
    SharedTask task;  ///< the genesis task
};

}  // namespace gradient::chain
