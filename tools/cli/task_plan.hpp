#pragma once

#include "chain/base/amount.hpp"
#include "chain/types/task.hpp"
#include "chain/types/transaction.hpp"
#include "model/matrix/matrix_dataset.hpp"
#include "tools/cli/data_plan.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gradient::cli {

/// Members of a task's shape that its user sets, by name.
using ShapeChoices = std::map<std::string, std::int64_t, std::less<>>;

/// Names of all members of a shape, as in a chain spec's model.
[[nodiscard]] std::vector<std::string> shape_names();

/// Whether a member follows from the data alone.
[[nodiscard]] bool is_width(std::string_view name) noexcept;

/// All members of a shape, as parse_shape reads them.
[[nodiscard]] boost::json::object to_json(const chain::AttentionShape& shape);

/// Reads a JSON object of members. `text` is the object itself. Throws node::Failure(usage) for
/// unknown names and what is no integer.
[[nodiscard]] ShapeChoices parse_shape(std::string_view text);

/// A shape that fits the data: widths from the data; for text the model that text networks use; for
/// matrices as many rows as the held-out part allows (at most 64), a batch of up to 512 rows, and
/// learning rates below the inverse curvature that the data's second moments allow. Throws
/// node::Failure(chain_spec) if the matrices have too few rows.
[[nodiscard]] chain::AttentionShape default_shape(const DataPlan& data);

/// The same with the user's choices; throws node::Failure(usage) for a number out of its range, and
/// if the solver core can't train such a model on these data.
[[nodiscard]] chain::AttentionShape make_shape(const DataPlan& data, const ShapeChoices& choices);

/// What a task is to be paid.
struct TaskTerms {
    std::uint64_t unit_budget = 0;
    chain::Amount pay_per_hit;
    chain::Amount escrow;
};

/// The action that starts the task.
[[nodiscard]] chain::CreateTask make_creation(const DataPlan& data,
                                              const chain::AttentionShape& shape,
                                              const TaskTerms& terms);

}  // namespace gradient::cli
