#pragma once

#include "model/numerics/kernels.hpp"
#include "model/numerics/random_bytes.hpp"
#include "model/task.hpp"

namespace gradient::model {

/// What a trainer computes with.
struct Engine {
    const Kernels* kernels;
    AesUnit aes;
};

/// The engine's table, or nothing where this processor lacks it. `EngineKind::best` never fails.
tl::expected<Engine, TaskError> find_engine(EngineKind kind) noexcept;

}  // namespace gradient::model
