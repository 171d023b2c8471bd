#include "chain/network.hpp"

#include "chain/base/check.hpp"

#include <utility>

namespace gradient::chain {

Result<model::Trainer, model::TaskError> Network::make_trainer(model::EngineKind engine) const {
    return model::Trainer::create(to_model(task.shape), *data, engine);
}

Result<std::shared_ptr<const Network>, SpecError> make_network(ChainSpec spec) {
    TRY(check_chain_spec(spec));
    auto network = std::make_shared<Network>();
    network->genesis = make_genesis(spec);
    network->task = genesis_task(spec);
    auto data = make_dataset(network->task, spec.text);
    CHECK(data);  // check_chain_spec has made it once
    network->data = *std::move(data);
    network->unit_work = unit_work(network->task);
    network->spec = std::move(spec);
    return std::shared_ptr<const Network>(std::move(network));
}

}  // namespace gradient::chain
