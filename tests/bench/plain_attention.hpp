#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

/// The mathematics of a training step in plain floating point with Eigen: what the exact unit is
/// compared with. No rounding, jitter, random numbers or hashing; the batch lies ready in memory.
///
/// plain_attention.cpp is compiled once for each namespace below, with other instruction sets and
/// with Eigen's namespace renamed, so that the builds do not share functions.
namespace gradient::bench {

/// One batch: the sequences' matrices behind each other, row-major.
struct PlainBatch {
    std::size_t rows, width, value_width, outputs, batch;
    bool causal;
    double x_rate, y_rate;
    std::vector<double> a1, a2, a3, b;
    std::vector<double> x, y;  ///< initial parameters
};

class PlainTrainer {
  public:
    PlainTrainer() = default;
    PlainTrainer(const PlainTrainer&) = delete;
    PlainTrainer& operator=(const PlainTrainer&) = delete;
    virtual ~PlainTrainer() = default;

    /// Forward, backward and update; the sum of the squared residuals.
    virtual double step() = 0;
};

enum class PlainScalar { f32, f64 };

/// How causal products are written: over whole matrices, or with Eigen's triangular views, which
/// do half the work at lower speed.
enum class PlainCausal { whole, triangular };

/// One function for each build: the flags of the rest of the project; AVX2 and FMA; this machine.
using MakePlain = std::unique_ptr<PlainTrainer>(const PlainBatch&, PlainScalar, PlainCausal);
namespace plain_baseline {
MakePlain make;
}
namespace plain_avx2 {
MakePlain make;
}
namespace plain_native {
MakePlain make;
}

}  // namespace gradient::bench
