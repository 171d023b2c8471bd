#pragma once

#include <cstdint>

namespace gradient::model {

/// Shape and hyper-parameters of one attention regression
/// L(X, Y) = 0.5 |D^-1 exp(A1 X A2^T) A3 Y - B|^2  (arXiv 2309.07418, section 1).
///
/// Shapes per sequence: A1, A2 (rows, width); A3 (rows, value_width); B (rows, outputs);
/// X (width, width); Y (value_width, outputs). All plain integers, so that the description is part
/// of consensus. Permitted ranges are checked by `check_config`; reasons in model/SPEC.md
/// section 2.
struct AttentionConfig {
    std::uint16_t rows = 64;            ///< rows of a sequence; multiple of 16, 16..256
    std::uint16_t width = 128;          ///< columns of A1, A2; multiple of 16, 16..256
    std::uint16_t value_width = 128;    ///< columns of A3; multiple of 16, 16..256
    std::uint16_t outputs = 128;        ///< columns of B; multiple of 16, 16..256
    std::uint16_t batch = 8;            ///< sequences a step; batch * rows <= 512
    std::uint16_t steps_per_unit = 16;  ///< SGD steps of a unit; 1..256
    std::uint8_t causal = 1;            ///< 1: row i attends to rows j <= i only; 0: to all
    std::int8_t x_exponent = -8;        ///< working weight of X is mantissa * 2^x_exponent
    std::int8_t y_exponent = -10;       ///< the same for Y
    std::uint8_t x_rate_mantissa = 1;   ///< learning rate of X = mantissa * 2^-shift; 1..255
    std::uint8_t x_rate_shift = 4;      ///< 0..40
    std::uint8_t y_rate_mantissa = 1;   ///< learning rate of Y, on the sum over the batch's rows
    std::uint8_t y_rate_shift = 8;      ///< 0..40
    std::uint16_t jitter = 16;          ///< input noise amplitude in units of 2^-10; 1..512
    std::uint32_t x_clip =
        1U << 30;  ///< largest norm of a unit's change of X, units of 64 grid steps
    std::uint32_t y_clip = 1U << 30;  ///< the same for Y
    std::uint16_t x_init = 64;        ///< initial entries of X are uniform in +-x_init weight ulps

    friend bool operator==(const AttentionConfig&, const AttentionConfig&) = default;
};

}  // namespace gradient::model
