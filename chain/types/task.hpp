#pragma once

// Grammar (chain/SPEC.md section 5):
//
//   attention shape  the members of AttentionShape in order, each an integer of its width;
//                    31 bytes
//   task record      id u32, kind u16, shape, data format u8, data root, data bytes u64,
//                    initial seed (32 bytes), unit budget u64, pay per hit u64; 126 bytes

#include "chain/base/amount.hpp"
#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"

#include <cstddef>
#include <cstdint>

namespace gradient::chain {

/// Kinds of task. Never renumber.
enum class TaskKind : std::uint16_t {
    attention = 1,  ///< attention regression, model/SPEC.md
};
[[nodiscard]] constexpr bool is_known_value(TaskKind kind) noexcept {
    return kind == TaskKind::attention;
}

/// How a task's data bytes become rows. Never renumber.
enum class DataFormat : std::uint8_t {
    text = 1,      ///< bytes of text, model/SPEC.md section 5.1
    matrices = 2,  ///< the encoding of four matrices, model/SPEC.md section 5.2
};
[[nodiscard]] constexpr bool is_known_value(DataFormat format) noexcept {
    return format == DataFormat::text || format == DataFormat::matrices;
}

/// Shape and hyper-parameters of an attention task: member for member the solver core's
/// AttentionConfig, whose comments give units and ranges.
struct AttentionShape {
    static constexpr std::size_t kEncodedSize = 31;

    std::uint16_t rows = 0;
    std::uint16_t width = 0;
    std::uint16_t value_width = 0;
    std::uint16_t outputs = 0;
    std::uint16_t batch = 0;
    std::uint16_t steps_per_unit = 0;
    std::uint8_t causal = 0;
    std::int8_t x_exponent = 0;
    std::int8_t y_exponent = 0;
    std::uint8_t x_rate_mantissa = 0;
    std::uint8_t x_rate_shift = 0;
    std::uint8_t y_rate_mantissa = 0;
    std::uint8_t y_rate_shift = 0;
    std::uint16_t jitter = 0;
    std::uint32_t x_clip = 0;
    std::uint32_t y_clip = 0;
    std::uint16_t x_init = 0;

    friend bool operator==(const AttentionShape&, const AttentionShape&) = default;

    static auto fields(auto& self) {
        return std::tie(self.rows, self.width, self.value_width, self.outputs, self.batch,
                        self.steps_per_unit, self.causal, self.x_exponent, self.y_exponent,
                        self.x_rate_mantissa, self.x_rate_shift, self.y_rate_mantissa,
                        self.y_rate_shift, self.jitter, self.x_clip, self.y_clip, self.x_init);
    }
};

/// Id of the task that the chain spec fixes and that trains for ever.
inline constexpr std::uint32_t kGenesisTask = 0;

/// A model under training, as the state keeps it.
struct TaskRecord {
    std::uint32_t id = kGenesisTask;
    TaskKind kind = TaskKind::attention;
    AttentionShape shape;
    DataFormat data_format = DataFormat::text;
    Hash256 data_root;  ///< chain/types/data.hpp
    std::uint64_t data_bytes = 0;
    Hash256 initial_seed;           ///< draws the initial parameters
    std::uint64_t unit_budget = 0;  ///< units it may still train; 0: for ever
    Amount pay_per_hit;             ///< from the task's escrow, on top of the emission

    friend bool operator==(const TaskRecord&, const TaskRecord&) = default;

    static auto fields(auto& self) {
        return std::tie(self.id, self.kind, self.shape, self.data_format, self.data_root,
                        self.data_bytes, self.initial_seed, self.unit_budget, self.pay_per_hit);
    }
};

/// Commitment to every field of a task.
[[nodiscard]] Hash256 task_digest(const TaskRecord& task) noexcept;

}  // namespace gradient::chain
