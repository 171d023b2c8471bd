#include "tests/support/small_text.hpp"

#include "chain/base/u256.hpp"
#include "chain/work/task_model.hpp"
#include "tests/support/random_dataset.hpp"
#include "tests/support/test_network.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace gradient::test {

namespace {

constexpr std::int16_t kOne = 1024;
constexpr std::uint32_t kSteadyPercent = 75;  // letters that the two before them determine

std::uint8_t pair_of(std::uint8_t own, std::uint8_t before) noexcept {
    return static_cast<std::uint8_t>((own * 5U + before * 11U + own * before) %
                                     SmallText::kLetters);
}

// `first` points at the letter of row 0 and has one before it.
void fill(const std::uint8_t* first, std::uint16_t rows, std::span<std::int16_t> a1,
          std::span<std::int16_t> a2, std::span<std::int16_t> a3, std::span<std::int16_t> b) {
    constexpr std::size_t kLetters = SmallText::kLetters;
    for (const auto& matrix : {a1, a2, a3, b}) std::ranges::fill(matrix, std::int16_t{0});
    for (std::size_t i = 0; i < rows; ++i) {
        const std::uint8_t* own = first + i;
        const std::size_t row = i * 2 * kLetters;
        for (const auto& matrix : {a1, a2}) {
            matrix[row + *own] = kOne;
            matrix[row + kLetters + *(own - 1)] = kOne;
        }
        a3[row + *own] = kOne;
        a3[row + kLetters + pair_of(*own, *(own - 1))] = kOne;
        b[i * kLetters + *(own + 1)] = kOne;
    }
}

model::AttentionConfig small_config() {
    model::AttentionConfig config;
    config.rows = 32;
    config.width = 2 * SmallText::kLetters;
    config.value_width = 2 * SmallText::kLetters;
    config.outputs = SmallText::kLetters;
    config.batch = 1;
    config.steps_per_unit = 2;
    config.x_exponent = -8;
    config.y_exponent = -9;
    config.x_rate_shift = 5;
    config.y_rate_shift = 8;
    config.jitter = 16;
    config.x_init = 16;
    // Some 1.5 times what a unit moves each matrix once the first thousand are over.
    config.x_clip = 9'000;
    config.y_clip = 24'000;
    return config;
}

}  // namespace

SmallText::SmallText(std::uint64_t seed) {
    Lcg lcg(seed);
    std::vector<std::uint8_t> successor(std::size_t{kLetters} * kLetters);
    for (auto& letter : successor) letter = static_cast<std::uint8_t>(lcg.in(0, kLetters - 1));
    tokens_ = {0, 1};
    while (tokens_.size() < kTrainingTokens + kHeldOutTokens) {
        const bool steady = lcg.in(0, 99) < static_cast<std::int32_t>(kSteadyPercent);
        const std::size_t pair =
            std::size_t{tokens_.back()} * kLetters + tokens_[tokens_.size() - 2];
        tokens_.push_back(steady ? successor[pair]
                                 : static_cast<std::uint8_t>(lcg.in(0, kLetters - 1)));
    }
}

std::uint64_t SmallText::training_sequences(std::uint16_t rows) const noexcept {
    return kTrainingTokens - rows - 1;
}

std::uint64_t SmallText::held_out_sequences(std::uint16_t rows) const noexcept {
    return (kHeldOutTokens - 2) / rows;
}

void SmallText::fill_training(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                              std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                              std::span<std::int16_t> b) const noexcept {
    fill(tokens_.data() + 1 + index, rows, a1, a2, a3, b);
}

void SmallText::fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                              std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                              std::span<std::int16_t> b) const noexcept {
    fill(tokens_.data() + kTrainingTokens + 1 + index * rows, rows, a1, a2, a3, b);
}

std::shared_ptr<const chain::Network> make_simulated_network(const SimulatedNetwork& shape) {
    auto data = std::make_unique<SmallText>(shape.seed);
    chain::ChainSpec spec = chain::default_chain_spec(
        "simulated", {data->tokens().begin(), data->tokens().end()}, kGenesisTime, 0x207fffff);
    spec.model = chain::from_model(small_config());
    const chain::U256 work(chain::unit_work(chain::genesis_task(spec)));
    const auto units = std::llround(shape.lanes * SimulatedNetwork::kLaneUnits);
    const chain::U256 win =
        divide(chain::U256::max(), chain::U256(static_cast<std::uint64_t>(units))).quotient;
    chain::ConsensusParams& params = spec.params;
    params.anchor.bits = chain::to_compact(divide(win, work).quotient);
    params.half_life_ms = std::uint64_t{1} << 40U;  // difficulty stands still
    params.interval_ms = 1'000;
    params.work.units_per_hit /= SimulatedNetwork::kUnitScale;
    params.full_pay_units =
        (params.full_pay_units + SimulatedNetwork::kUnitScale / 2) / SimulatedNetwork::kUnitScale;
    params.maturity_blocks = 10;
    // The default model's openings take 95 kB, these some 4.5.
    params.byte_fee = chain::Amount::of_units(200);

    // Not made from bytes as a user's network is: its letters are no text that passes the rules.
    auto network = std::make_shared<chain::Network>();
    network->genesis = chain::make_genesis(spec);
    auto task = std::make_shared<chain::TaskRuntime>();
    task->record = chain::genesis_task(spec);
    task->unit_work = chain::unit_work(task->record);
    task->data = std::move(data);
    network->task = std::move(task);
    network->spec = std::move(spec);
    return network;
}

}  // namespace gradient::test
