#include "model/attention/workspace.hpp"
#include "model/task.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

namespace gradient::model {
namespace {

constexpr int kInputExponent = -10;   ///< of A1, A2, A3 and B
constexpr int kFactorExponent = -11;  ///< of F
constexpr int kLeastMove = 64;        ///< grid steps: the least change that clipping sees

std::uint64_t integer_root(std::uint64_t value) noexcept {
    auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(value)));
    while (root > 0xffffffffU || root * root > value) --root;
    while (root < 0xffffffffU && (root + 1) * (root + 1) <= value) ++root;
    return root;
}

/// value * 2^shift, wrapping; floor for a negative shift.
std::int64_t scale_loss(std::int64_t value, int shift) noexcept {
    if (shift < 0) return value >> std::min(-shift, 63);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << std::min(shift, 63));
}

/// floor(a / b) for b > 0.
std::int64_t floor_divide(std::int64_t a, std::int64_t b) noexcept {
    const std::int64_t quotient = a / b;
    return quotient - ((a % b != 0 && a < 0) ? 1 : 0);
}

void clip_change(std::span<const std::int32_t> before, std::span<std::int32_t> after,
                 std::uint32_t clip, const Kernels& kernels) noexcept {
    const std::uint64_t norm2 = kernels.displacement(before.data(), after.data(), after.size());
    if (norm2 <= std::uint64_t{clip} * clip) return;
    const auto divisor = static_cast<std::int64_t>(integer_root(norm2) + 1);
    for (std::size_t i = 0; i < after.size(); ++i) {
        const std::int64_t change = std::int64_t{after[i]} - before[i];
        after[i] = before[i] +
                   static_cast<std::int32_t>(floor_divide(change * std::int64_t{clip}, divisor));
    }
}

bool are_parameters(std::span<const std::int32_t> parameters, std::size_t count) noexcept {
    if (parameters.size() != count) return false;
    return std::ranges::all_of(
        parameters, [](std::int32_t x) { return x >= -kParameterLimit && x <= kParameterLimit; });
}

void count_zeros(std::span<const std::int32_t> gradient, MatrixCounts& counts) noexcept {
    counts.accumulators += gradient.size();
    counts.zero_accumulators += static_cast<std::uint64_t>(std::ranges::count(gradient, 0));
}

void count_moves(std::span<const std::int32_t> before, std::span<const std::int32_t> after,
                 MatrixCounts& counts) noexcept {
    counts.parameters = after.size();
    for (std::size_t i = 0; i < after.size(); ++i) {
        if (std::abs(after[i] - before[i]) >= kLeastMove) ++counts.moved;
        if (std::abs(after[i]) == kParameterLimit) ++counts.saturated;
    }
}

}  // namespace

tl::expected<Trainer, TaskError> Trainer::create(const AttentionConfig& config, const Dataset& data,
                                                 EngineKind engine) {
    const auto found = find_engine(engine);
    if (!found) return tl::unexpected(found.error());
    return create(config, data, **found);
}

tl::expected<Trainer, TaskError> Trainer::create(const AttentionConfig& config, const Dataset& data,
                                                 const Kernels& kernels) {
    if (auto checked = check_config(config); !checked) return tl::unexpected(checked.error());
    if (data.width() != config.width || data.value_width() != config.value_width ||
        data.outputs() != config.outputs)
        return tl::unexpected(TaskError::data_mismatch);
    if (data.training_sequences(config.rows) == 0 || data.held_out_sequences(config.rows) == 0)
        return tl::unexpected(TaskError::data_too_short);
    return Trainer(std::make_unique<Workspace>(config, data, kernels));
}

Trainer::Trainer(std::unique_ptr<Workspace> workspace) noexcept
    : workspace_(std::move(workspace)) {}
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

const AttentionConfig& Trainer::config() const noexcept {
    return workspace_->config;
}

tl::expected<UnitResult, TaskError> Trainer::train_unit(std::span<std::int32_t> parameters,
                                                        const Seed& seed) {
    Workspace& w = *workspace_;
    if (!are_parameters(parameters, w.before.size()))
        return tl::unexpected(TaskError::wrong_parameters);
    return w.train_unit(parameters, seed, [] {});
}

tl::expected<ProbeCounts, TaskError> Trainer::probe_unit(std::span<const std::int32_t> parameters,
                                                         const Seed& seed) {
    Workspace& w = *workspace_;
    if (!are_parameters(parameters, w.before.size()))
        return tl::unexpected(TaskError::wrong_parameters);
    std::vector<std::int32_t> after(parameters.begin(), parameters.end());
    const std::size_t split = w.x_count();
    const std::span<const std::int32_t> gradient(w.gradient);
    ProbeCounts counts;
    w.train_unit(after, seed, [&] {
        count_zeros(gradient.first(split), counts.x);
        count_zeros(gradient.subspan(split), counts.y);
    });
    const std::span<const std::int32_t> moved(after);
    count_moves(parameters.first(split), moved.first(split), counts.x);
    count_moves(parameters.subspan(split), moved.subspan(split), counts.y);
    return counts;
}

template <class AfterStep>
UnitResult Trainer::Workspace::train_unit(std::span<std::int32_t> parameters, const Seed& seed,
                                          AfterStep after_step) noexcept {
    std::ranges::copy(parameters, before.begin());
    const RandomBytes random(seed, aes);
    GradientFold fold(aes);
    std::int64_t loss = 0;
    for (std::uint32_t step = 0; step < config.steps_per_unit; ++step) {
        loss = static_cast<std::int64_t>(
            static_cast<std::uint64_t>(loss) +
            static_cast<std::uint64_t>(train_step(parameters, random, step, fold)));
        after_step();
    }
    const std::size_t split = x_count();
    const std::span<const std::int32_t> start(before.data(), before.size());
    clip_change(start.first(split), parameters.first(split), config.x_clip, *table);
    clip_change(start.subspan(split), parameters.subspan(split), config.y_clip, *table);
    return UnitResult{loss, fold.state()};
}

std::int64_t Trainer::Workspace::train_step(std::span<std::int32_t> parameters,
                                            const RandomBytes& random, std::uint32_t step,
                                            GradientFold& fold) noexcept {
    const Kernels& kernels = *table;
    round_weights(parameters, &random, step);
    std::uint8_t draws[32 * 8];
    random.fill(Stream::batch, step, 0,
                std::span(draws, (config.batch * std::size_t{8} + 15) & ~std::size_t{15}));
    const std::uint64_t sequences = data->training_sequences(config.rows);
    std::int64_t loss = 0;
    for (std::size_t b = 0; b < config.batch; ++b) {
        std::uint64_t draw = 0;
        std::memcpy(&draw, draws + 8 * b, 8);
        data->fill_training(multiply_high(draw, sequences), config.rows, base_a1, base_a2, base_a3,
                            target);
        jitter_inputs(random, step, b);
        const Exponents exponents = forward(a1_of(b), a2.data(), a3_of(b), &random, step, b);
        loss = static_cast<std::int64_t>(
            static_cast<std::uint64_t>(loss) +
            static_cast<std::uint64_t>(backward(exponents, random, step, b)));
    }
    const int t_exponent = round_batch(Stream::round_t, t_acc, t_exponents, t_largest, config.width,
                                       random, step, t_rounded);
    const int v_exponent = round_batch(Stream::round_v, v_acc, v_exponents, v_largest,
                                       config.outputs, random, step, v_rounded);
    const std::size_t inner = std::size_t{config.batch} * config.rows;
    kernels.multiply({Form::atb, Mask::none, config.width, config.width, inner}, a1.data(),
                     t_rounded.data(), gradient.data(), pack.data());
    kernels.multiply({Form::atb, Mask::none, config.value_width, config.outputs, inner}, a3.data(),
                     v_rounded.data(), gradient.data() + x_count(), pack.data());
    fold.absorb(gradient);
    kernels.update(parameters.data(), gradient.data(), x_count(),
                   {config.x_rate_mantissa,
                    t_exponent + kInputExponent - config.x_rate_shift - (config.x_exponent - 16)});
    kernels.update(parameters.data() + x_count(), gradient.data() + x_count(), y_count(),
                   {config.y_rate_mantissa,
                    v_exponent + kInputExponent - config.y_rate_shift - (config.y_exponent - 16)});
    return loss;
}

void Trainer::Workspace::round_weights(std::span<const std::int32_t> parameters,
                                       const RandomBytes* random, std::uint32_t step) noexcept {
    const Kernels& kernels = *table;
    const auto x = parameters.first(x_count());
    const auto y = parameters.subspan(x_count());
    kernels.round(x.data(), noise_for(random, Stream::round_x, step, 0, x.size()), rounded.data(),
                  x.size(), 16);
    kernels.pack_rows(rounded.data(), config.width, config.width, x_packed.data());
    kernels.round(y.data(), noise_for(random, Stream::round_y, step, 0, y.size()), rounded.data(),
                  y.size(), 16);
    kernels.pack_rows(rounded.data(), config.value_width, config.outputs, y_packed.data());
}

const std::uint8_t* Trainer::Workspace::noise_for(const RandomBytes* random, Stream stream,
                                                  std::uint32_t step, std::uint64_t first,
                                                  std::size_t count) noexcept {
    if (random == nullptr) return nullptr;
    random->fill(stream, step, first, std::span<std::uint8_t>(noise.data(), count));
    return noise.data();
}

void Trainer::Workspace::jitter_inputs(const RandomBytes& random, std::uint32_t step,
                                       std::size_t b) noexcept {
    const Kernels& kernels = *table;
    const auto move = [&](Stream stream, const Buffer<std::int16_t>& base, std::int16_t* to) {
        kernels.jitter(base.data(), noise_for(&random, stream, step, b * base.size(), base.size()),
                       to, base.size(), config.jitter);
    };
    move(Stream::jitter_a1, base_a1, a1_of(b));
    move(Stream::jitter_a2, base_a2, a2.data());
    move(Stream::jitter_a3, base_a3, a3_of(b));
}

Trainer::Workspace::Exponents Trainer::Workspace::forward(
    const std::int16_t* first, const std::int16_t* second, const std::int16_t* third,
    const RandomBytes* random, std::uint32_t step, std::size_t b) noexcept {
    const Kernels& kernels = *table;
    const std::size_t n = config.rows;
    const std::size_t d = config.width;
    const std::size_t p = config.outputs;
    const bool causal = config.causal != 0;
    // 1. U = A1 X                                                        (rows, width)
    int shift = scale_shift(kernels.multiply({Form::ab, Mask::none, n, d, d, true}, first,
                                             x_packed.data(), wide.data(), pack.data()));
    kernels.round(wide.data(), noise_for(random, Stream::round_u, step, b * n * d, n * d), u.data(),
                  n * d, shift);
    const int u_exponent = kInputExponent + config.x_exponent + shift;
    // 2. S = U A2^T                                                      (rows, rows)
    kernels.multiply({Form::abt, causal ? Mask::lower_result : Mask::none, n, n, d}, u.data(),
                     second, scores.data(), pack.data());
    // 3. F = softmax of S                                                (rows, rows)
    kernels.softmax(scores.data(), noise_for(random, Stream::round_f, step, b * n * n, n * n),
                    f.data(), n, causal, -(u_exponent + kInputExponent) - 12);
    // 4. H = A3 Y                                                        (rows, outputs)
    shift = scale_shift(kernels.multiply({Form::ab, Mask::none, n, p, config.value_width, true},
                                         third, y_packed.data(), wide.data(), pack.data()));
    shift = std::max(shift, -7 - config.y_exponent);
    kernels.round(wide.data(), noise_for(random, Stream::round_h, step, b * n * p, n * p), h.data(),
                  n * p, shift);
    const int h_exponent = kInputExponent + config.y_exponent + shift;
    // 5. C = F H                                                         (rows, outputs)
    kernels.multiply({Form::ab, causal ? Mask::lower_a : Mask::none, n, p, n}, f.data(), h.data(),
                     wide.data(), pack.data());
    return {h_exponent, kFactorExponent + h_exponent};
}

std::int64_t Trainer::Workspace::backward(Exponents exponents, const RandomBytes& random,
                                          std::uint32_t step, std::size_t b) noexcept {
    const Kernels& kernels = *table;
    const std::size_t n = config.rows;
    const std::size_t d = config.width;
    const std::size_t p = config.outputs;
    const bool causal = config.causal != 0;
    // 6. R = C - B                                                       (rows, outputs)
    int shift = scale_shift(
        kernels.residual(wide.data(), target.data(), n * p, kInputExponent - exponents.c));
    kernels.round(wide.data(), noise_for(&random, Stream::round_r, step, b * n * p, n * p),
                  r.data(), n * p, shift);
    const int r_exponent = exponents.c + shift;
    const std::int64_t loss = scale_loss(kernels.squares(r.data(), n * p), 2 * r_exponent + 32);
    // 7. Q = R H^T                                                       (rows, rows)
    kernels.multiply({Form::abt, causal ? Mask::lower_result : Mask::none, n, n, p}, r.data(),
                     h.data(), scores.data(), pack.data());
    const int q_shift = kernels.score_shift(scores.data(), n, causal);
    // 8. P = F o (Q - rowsum(F o Q))                                     (rows, rows)
    shift = scale_shift(kernels.softmax_backward(scores.data(), f.data(), n, causal, q_shift));
    kernels.round_scores(scores.data(), noise_for(&random, Stream::round_p, step, b * n * n, n * n),
                         p_rounded.data(), n, causal, shift);
    const int p_exponent = kFactorExponent + r_exponent + exponents.h + q_shift + shift;
    // 9. T = P A2                                                        (rows, width)
    t_largest[b] =
        kernels.multiply({Form::ab, causal ? Mask::lower_a : Mask::none, n, d, n}, p_rounded.data(),
                         a2.data(), t_acc.data() + b * n * d, pack.data());
    t_exponents[b] = p_exponent + kInputExponent;
    // 10. V = F^T R                                                      (rows, outputs)
    v_largest[b] = kernels.multiply({Form::atb, causal ? Mask::lower_a : Mask::none, n, p, n},
                                    f.data(), r.data(), v_acc.data() + b * n * p, pack.data());
    v_exponents[b] = kFactorExponent + r_exponent;
    return loss;
}

int Trainer::Workspace::round_batch(Stream stream, const Buffer<std::int32_t>& acc,
                                    std::span<const int> exponents,
                                    std::span<const std::uint32_t> largest, std::size_t columns,
                                    const RandomBytes& random, std::uint32_t step,
                                    Buffer<std::int16_t>& out) noexcept {
    int common = exponents[0] + scale_shift(largest[0]);
    for (std::size_t b = 1; b < config.batch; ++b)
        common = std::max(common, exponents[b] + scale_shift(largest[b]));
    const std::size_t count = config.rows * columns;
    for (std::size_t b = 0; b < config.batch; ++b)
        table->round(acc.data() + b * count, noise_for(&random, stream, step, b * count, count),
                     out.data() + b * count, count, common - exponents[b]);
    return common;
}

tl::expected<Evaluation, TaskError> Trainer::evaluate(std::span<const std::int32_t> parameters,
                                                      std::uint64_t first, std::uint64_t count) {
    Workspace& w = *workspace_;
    if (!are_parameters(parameters, w.before.size()))
        return tl::unexpected(TaskError::wrong_parameters);
    const std::uint64_t sequences = w.data->held_out_sequences(w.config.rows);
    w.round_weights(parameters, nullptr, 0);
    Evaluation result;
    for (std::uint64_t i = 0; i < count; ++i) {
        w.data->fill_held_out((first + i) % sequences, w.config.rows, w.base_a1, w.base_a2,
                              w.base_a3, w.target);
        const auto exponents =
            w.forward(w.base_a1.data(), w.base_a2.data(), w.base_a3.data(), nullptr, 0, 0);
        w.score(exponents.c, result);
    }
    return result;
}

void Trainer::Workspace::score(int c_exponent, Evaluation& result) const noexcept {
    const int shift = -14 - c_exponent;
    // Sums wrap modulo 2^64 (SPEC.md section 6.5), so they are kept without sign.
    auto squared_error = static_cast<std::uint64_t>(result.squared_error);
    const std::size_t p = config.outputs;
    for (std::size_t i = data->context_rows(); i < config.rows; ++i) {
        const std::int32_t* c = wide.data() + i * p;
        const std::int16_t* b = target.data() + i * p;
        std::uint64_t row_error = 0;
        for (std::size_t j = 0; j < p; ++j) {
            const std::int64_t exact =
                std::int64_t{c[j]} - std::int64_t{b[j]} * (1 << (kInputExponent - c_exponent));
            const std::int64_t residual = shift >= 0 ? exact >> shift : exact * (1 << -shift);
            const auto magnitude = static_cast<std::uint64_t>(residual < 0 ? -residual : residual);
            row_error += magnitude * magnitude;
        }
        squared_error += row_error << 4;
        const bool correct = std::max_element(c, c + p) - c == std::max_element(b, b + p) - b;
        result.correct += correct ? 1 : 0;
        ++result.rows;
    }
    result.squared_error = static_cast<std::int64_t>(squared_error);
}

tl::expected<std::vector<std::int32_t>, TaskError> Trainer::predict(
    std::span<const std::int32_t> parameters, std::span<const std::int16_t> first,
    std::span<const std::int16_t> second, std::span<const std::int16_t> third) {
    Workspace& w = *workspace_;
    if (!are_parameters(parameters, w.before.size()))
        return tl::unexpected(TaskError::wrong_parameters);
    if (first.size() != w.base_a1.size() || second.size() != w.base_a2.size() ||
        third.size() != w.base_a3.size())
        return tl::unexpected(TaskError::data_mismatch);
    w.round_weights(parameters, nullptr, 0);
    const auto exponents = w.forward(first.data(), second.data(), third.data(), nullptr, 0, 0);
    const int shift = -14 - exponents.c;
    std::vector<std::int32_t> outputs(std::size_t{w.config.rows} * w.config.outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i)
        outputs[i] = shift >= 0 ? w.wide[i] >> shift : w.wide[i] * (1 << -shift);
    return outputs;
}

}  // namespace gradient::model
