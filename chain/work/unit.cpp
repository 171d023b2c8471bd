#include "chain/work/unit.hpp"

#include "chain/work/digests.hpp"

namespace gradient::chain {

Result<UnitOutcome, model::TaskError> run_unit(model::Trainer& trainer,
                                               const Hash256& template_hash, std::uint32_t unit,
                                               const Hash256& previous,
                                               std::span<std::int32_t> parameters) {
    const Hash256 seed = unit_seed(template_hash, unit, previous);
    TRY_ASSIGN(const model::UnitResult result, trainer.train_unit(parameters, seed.bytes));
    UnitOutcome outcome;
    outcome.loss = result.loss;
    outcome.gradient = gradient_digest(result.gradient);
    outcome.state = state_digest(model_digest(parameters), outcome.loss, outcome.gradient);
    outcome.digest = unit_digest(template_hash, unit, previous, outcome.state);
    return outcome;
}

}  // namespace gradient::chain
