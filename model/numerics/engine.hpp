#pragma once

#include "model/numerics/kernels.hpp"
#include "model/task.hpp"

namespace gradient::model {

/// The engine's table, or nothing where this processor lacks it. `EngineKind::best` never fails.
tl::expected<const Kernels*, TaskError> find_engine(EngineKind kind) noexcept;

}  // namespace gradient::model
