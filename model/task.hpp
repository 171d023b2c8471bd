#pragma once

#include "model/attention_config.hpp"
#include "model/dataset.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

/// The interface of a task kind: what the ledger knows of a model under training.
///
/// Everything here is exact: the same arguments give the same bits on every machine, compiler,
/// engine and thread count (model/SPEC.md). Nothing here reads a clock, a file or the network.
namespace gradient::model {

/// Why a task cannot be trained. Names are stable; see model/SPEC.md section 8.
enum class TaskError : std::uint8_t {
    bad_shape,          ///< a dimension is zero, not a multiple of 16, or above its limit
    bad_hyper,          ///< a hyper-parameter lies outside its declared range
    data_too_short,     ///< fewer training or held-out rows than one sequence
    data_mismatch,      ///< the data set's widths differ from the configuration's
    wrong_parameters,   ///< the parameter buffer has the wrong length or leaves its range
    unknown_kind,       ///< the data or the engine named is not known here
    data_malformed,     ///< the bytes are not the one encoding of a data set
    data_out_of_range,  ///< a mantissa is above 2047 in magnitude
    data_constant,      ///< a matrix has one value throughout, or a text too few tokens
    data_repetitive,    ///< few distinct rows, one row in the majority, or a short text repeated
    data_low_rank,      ///< A1, A2 or A3 has a rank below MatrixDataset::kMinRank
};

/// One sentence naming the condition.
std::string_view describe(TaskError error) noexcept;

/// 32 bytes that fix every random draw of a unit (batch, jitter, dither).
using Seed = std::array<std::uint8_t, 32>;

/// Bytes of a gradient fingerprint; see `UnitResult::gradient`.
inline constexpr std::size_t kGradientFoldBytes = 256;

/// What a unit leaves behind besides the new parameters.
struct UnitResult {
    /// Sum over the unit's steps, rows and outputs of the squared residual, in units of 2^-32.
    std::int64_t loss = 0;
    /// Fold of the raw integer gradient accumulators of each step, in order, before learning rate,
    /// clipping and rounding (model/SPEC.md section 6). The ledger hashes it into H(G).
    std::array<std::uint8_t, kGradientFoldBytes> gradient{};

    friend bool operator==(const UnitResult&, const UnitResult&) = default;
};

/// What one unit does to one parameter matrix, counted.
struct MatrixCounts {
    std::uint64_t parameters = 0;
    std::uint64_t saturated = 0;          ///< parameters at a limit of their range after the unit
    std::uint64_t moved = 0;              ///< parameters that the unit changed by 64 grid steps
    std::uint64_t accumulators = 0;       ///< raw gradient accumulators of all steps
    std::uint64_t zero_accumulators = 0;  ///< those of them that are exactly zero

    friend bool operator==(const MatrixCounts&, const MatrixCounts&) = default;
};

/// What one unit does to a model: a dead, diverged or degenerate task shows in these numbers alone
/// (model/SPEC.md section 6.6).
struct ProbeCounts {
    MatrixCounts x, y;

    /// Whether blocks may train this model on.
    bool is_healthy() const noexcept;

    friend bool operator==(const ProbeCounts&, const ProbeCounts&) = default;
};

/// Result of evaluating a model on the held-out part, exact integers.
struct Evaluation {
    std::uint64_t rows = 0;          ///< rows evaluated
    std::uint64_t correct = 0;       ///< rows whose largest output is the target's largest entry
    std::int64_t squared_error = 0;  ///< sum over rows of |output - target|^2, units of 2^-32

    /// Mean over rows of |output - target|^2 (the Brier score for one-hot targets).
    double brier() const noexcept;
    /// Fraction of rows predicted correctly.
    double accuracy() const noexcept;

    friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

/// Number of 32-bit parameters of a model of this configuration (X then Y, row-major).
std::size_t parameter_count(const AttentionConfig& config) noexcept;

/// A unit's cost in reference floating-point operations (model/SPEC.md section 7).
std::uint64_t unit_work(const AttentionConfig& config) noexcept;

/// Checks shape and hyper-parameters alone; no data needed.
tl::expected<void, TaskError> check_config(const AttentionConfig& config) noexcept;

/// Initial parameters drawn from a seed.
std::vector<std::int32_t> initial_parameters(const AttentionConfig& config, const Seed& seed);

/// Which products and element-wise loops to use; all give the same bits.
enum class EngineKind : std::uint8_t {
    best,          ///< the fastest this processor has
    eigen_double,  ///< Eigen products in binary64: portable, and the oracle
    int16_sse2,
    int16_avx2,
    int16_avx512,
    int16_avx512_vnni,
};

/// Engines this processor can run, fastest first.
std::vector<EngineKind> available_engines();
/// Stable name of an engine, for logs and `--engine`.
std::string_view engine_name(EngineKind kind) noexcept;

struct Kernels;

/// Trains and evaluates one model; owns its work space, so use one per thread.
class Trainer {
  public:
    /// The data set must outlive the trainer.
    static tl::expected<Trainer, TaskError> create(const AttentionConfig& config,
                                                   const Dataset& data,
                                                   EngineKind engine = EngineKind::best);
    /// The same on a table of functions of the caller's (another device, an instrument), which
    /// must outlive the trainer.
    static tl::expected<Trainer, TaskError> create(const AttentionConfig& config,
                                                   const Dataset& data, const Kernels& kernels);
    Trainer(Trainer&&) noexcept;
    Trainer& operator=(Trainer&&) noexcept;
    ~Trainer();

    /// Runs one unit on `parameters` in place. Fails, changing nothing, only on a buffer of the
    /// wrong length or with entries outside the parameters' range.
    tl::expected<UnitResult, TaskError> train_unit(std::span<std::int32_t> parameters,
                                                   const Seed& seed);

    /// Runs the unit that train_unit would run, on a copy, and counts what it did. Fails as
    /// train_unit does.
    tl::expected<ProbeCounts, TaskError> probe_unit(std::span<const std::int32_t> parameters,
                                                    const Seed& seed);

    /// Evaluates on `count` held-out sequences starting at sequence `first` (modulo their number).
    tl::expected<Evaluation, TaskError> evaluate(std::span<const std::int32_t> parameters,
                                                 std::uint64_t first, std::uint64_t count);

    /// Outputs for one sequence of input rows, for inference: (sequence_length, outputs),
    /// row-major, in units of 2^-14. `a1`, `a2`, `a3` are mantissas as a Dataset fills them.
    tl::expected<std::vector<std::int32_t>, TaskError> predict(
        std::span<const std::int32_t> parameters, std::span<const std::int16_t> a1,
        std::span<const std::int16_t> a2, std::span<const std::int16_t> a3);

    const AttentionConfig& config() const noexcept;

  private:
    struct Workspace;
    explicit Trainer(std::unique_ptr<Workspace> workspace) noexcept;
    std::unique_ptr<Workspace> workspace_;
};

}  // namespace gradient::model
