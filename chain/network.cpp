#include "chain/network.hpp"

#include "chain/base/check.hpp"

#include <utility>

namespace gradient::chain {

Result<std::shared_ptr<const Network>, SpecError> make_network(ChainSpec spec) {
    TRY(check_chain_spec(spec));
    auto network = std::make_shared<Network>();
    network->genesis = make_genesis(spec);
    auto task = make_task_runtime(genesis_task(spec), spec.text);
    CHECK(task);  // check_chain_spec has made it once
    network->task = *std::move(task);
    network->spec = std::move(spec);
    return std::shared_ptr<const Network>(std::move(network));
}

}  // namespace gradient::chain
