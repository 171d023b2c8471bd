#pragma once
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
namespace gradient::chain {
[[nodiscard]] Result<void, StoreError> end_task(State& state, std::uint32_t task, TaskStatus status, std::uint64_t height);
[[nodiscard]] Result<void, StoreError> refund_ended_tasks(State& state, std::uint64_t height);
}
