// Whether degenerate data or parameters make a unit cheaper: the time of a unit of the default text
// configuration beside that on healthy text and weights. All data sets are tables of sequences that
// were drawn before, so that their rows cost the same. The cases take turns, timed by processor
// time; a ratio is the median of the rounds' ratios.
//
// Usage: degenerate_cost [--json] [--rounds N]

#include "model/numerics/kernels.hpp"
#include "model/text/text_dataset.hpp"
#include "tests/support/random_dataset.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace gradient;
using namespace gradient::model;

constexpr std::size_t kSequences = 16;
constexpr std::int16_t kOne = 1024;
constexpr std::int16_t kLargest = 2047;
constexpr std::size_t kTrainedUnits = 200;

/// A1, A2, A3, B of one sequence, and their columns.
using Sequence = std::array<std::vector<std::int16_t>, 4>;
constexpr std::array<std::size_t, 4> kColumns{128, 128, 256, 64};

/// Sequences in memory.
class TableDataset final : public Dataset {
  public:
    explicit TableDataset(std::vector<Sequence> sequences) : sequences_(std::move(sequences)) {}

    std::uint16_t width() const noexcept override { return kColumns[0]; }
    std::uint16_t value_width() const noexcept override { return kColumns[2]; }
    std::uint16_t outputs() const noexcept override { return kColumns[3]; }
    std::uint64_t training_sequences(std::uint16_t /*rows*/) const noexcept override {
        return sequences_.size();
    }
    std::uint64_t held_out_sequences(std::uint16_t /*rows*/) const noexcept override {
        return sequences_.size();
    }
    void fill_training(std::uint64_t index, std::uint16_t /*rows*/, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        const Sequence& from = sequences_[index];
        const std::array to{a1, a2, a3, b};
        for (std::size_t m = 0; m < to.size(); ++m) std::ranges::copy(from[m], to[m].begin());
    }
    void fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        fill_training(index, rows, a1, a2, a3, b);
    }

  private:
    std::vector<Sequence> sequences_;
};

std::size_t rows() {
    return TextDataset::default_config().rows;
}

/// Entry (row, column) of matrix m of every sequence by a rule.
using Rule = std::function<std::int32_t(std::size_t m, std::size_t row, std::size_t column)>;

TableDataset table_of(const Rule& rule) {
    std::vector<Sequence> sequences(kSequences);
    for (Sequence& sequence : sequences)
        for (std::size_t m = 0; m < 4; ++m)
            for (std::size_t i = 0; i < rows(); ++i)
                for (std::size_t j = 0; j < kColumns[m]; ++j)
                    sequence[m].push_back(static_cast<std::int16_t>(rule(m, i, j)));
    return TableDataset(std::move(sequences));
}

TableDataset table_of(const TextDataset& text) {
    std::vector<Sequence> sequences(kSequences);
    const std::uint64_t step =
        text.training_sequences(TextDataset::default_config().rows) / kSequences;
    for (std::size_t k = 0; k < kSequences; ++k) {
        for (std::size_t m = 0; m < 4; ++m) sequences[k][m].resize(rows() * kColumns[m]);
        auto& [a1, a2, a3, b] = sequences[k];
        text.fill_training(k * step, TextDataset::default_config().rows, a1, a2, a3, b);
    }
    return TableDataset(std::move(sequences));
}

/// Words of a few hundred.
std::vector<std::uint8_t> words() {
    test::Lcg lcg(3);
    std::vector<std::string> known(300);
    for (std::string& word : known)
        for (std::int32_t letters = lcg.in(2, 8); letters > 0; --letters)
            word += static_cast<char>('a' + lcg.in(0, 25));
    std::vector<std::uint8_t> text;
    while (text.size() < 200'000) {
        const std::string& word = known[lcg.next() % known.size()];
        text.insert(text.end(), word.begin(), word.end());
        text.push_back(' ');
    }
    return text;
}

Seed seed_of(std::size_t number) {
    Seed seed{};
    std::memcpy(seed.data(), &number, sizeof(number));
    return seed;
}

/// Parameters by a rule: matrix 0 is X, 1 is Y.
std::vector<std::int32_t> weights(
    const std::function<std::int32_t(std::size_t m, std::size_t row, std::size_t column)>& rule) {
    std::vector<std::int32_t> parameters;
    for (std::size_t i = 0; i < kColumns[0]; ++i)
        for (std::size_t j = 0; j < kColumns[0]; ++j) parameters.push_back(rule(0, i, j));
    for (std::size_t i = 0; i < kColumns[2]; ++i)
        for (std::size_t j = 0; j < kColumns[3]; ++j) parameters.push_back(rule(1, i, j));
    return parameters;
}

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Case {
    std::string name;
    const Dataset* data;
    std::vector<std::int32_t> parameters;
    std::unique_ptr<Trainer> trainer = nullptr;
    std::vector<double> seconds = {};

    void run(std::size_t round) {
        std::vector<std::int32_t> copy = parameters;
        const double start = thread_seconds();
        if (!trainer->train_unit(copy, seed_of(round))) std::abort();
        seconds.push_back(thread_seconds() - start);
    }
};

double median(std::vector<double> values) {
    std::ranges::nth_element(values,
                             values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    std::size_t rounds = 61;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc &&
                   std::atoi(argv[i + 1]) > 0) {
            rounds = static_cast<std::size_t>(std::atoi(argv[++i]));
        } else {
            std::fputs("usage: degenerate_cost [--json] [--rounds N]\n", stderr);
            return 2;
        }
    }
    const AttentionConfig config = TextDataset::default_config();
    test::Lcg lcg(7);
    const auto random = [&](std::int32_t magnitude) { return lcg.in(-magnitude, magnitude); };
    std::array<std::vector<std::int32_t>, 4> row;  // one random row of each matrix
    for (std::size_t m = 0; m < 4; ++m)
        for (std::size_t j = 0; j < kColumns[m]; ++j) row[m].push_back(random(kOne));

    const TableDataset text = table_of(*TextDataset::create(words()));
    const TableDataset one_token =
        table_of(*TextDataset::create(std::vector<std::uint8_t>(200'000, 'a')));
    const TableDataset zeros = table_of([](auto, auto, auto) { return 0; });
    const TableDataset equal = table_of([](auto, auto, auto) { return kOne; });
    const TableDataset repeated = table_of([&](auto m, auto, auto j) { return row[m][j]; });
    const TableDataset rank_one = table_of([&](auto m, auto i, auto j) {
        return row[m][j] * (static_cast<std::int32_t>(i) - 32) / 32;
    });
    const TableDataset extreme =
        table_of([&](auto, auto, auto) { return (lcg.next() & 1) != 0 ? kLargest : -kLargest; });
    const TableDataset noise = table_of([&](auto, auto, auto) { return random(kLargest); });
    const TableDataset own_key = table_of([&](auto m, auto i, auto j) -> std::int32_t {
        return m < 2 ? (i == j ? kLargest : 0) : random(kOne);
    });

    const auto start = initial_parameters(config, seed_of(0));
    auto trained = start;
    auto trainer = *Trainer::create(config, text);
    for (std::size_t i = 0; i < kTrainedUnits; ++i)
        if (!trainer.train_unit(trained, seed_of(i))) std::abort();
    const auto zero = weights([](auto, auto, auto) { return 0; });
    const auto largest = weights([](auto, auto, auto) { return kParameterLimit; });
    const auto diverged = weights([&](auto, auto, auto) {
        return (lcg.next() & 1) != 0 ? kParameterLimit : -kParameterLimit;
    });
    const auto identity =
        weights([](auto m, auto i, auto j) { return m == 0 && i == j ? kParameterLimit : 0; });
    const auto identity_trained_y = [&] {
        auto both = trained;
        std::copy_n(identity.begin(), kColumns[0] * kColumns[0], both.begin());
        return both;
    }();

    std::vector<Case> cases;
    const auto add = [&](const char* name, const Dataset& data,
                         const std::vector<std::int32_t>& p) {
        cases.push_back(
            {name, &data, p, std::make_unique<Trainer>(*Trainer::create(config, data))});
    };
    add("healthy: text, trained", text, trained);
    add("healthy again", text, trained);
    add("text, initial parameters", text, start);
    add("text, all parameters zero", text, zero);
    add("text, all parameters at the limit", text, largest);
    add("text, diverged: limits of either sign", text, diverged);
    add("text, X identity", text, identity_trained_y);
    add("one token throughout", one_token, trained);
    add("zeros", zeros, trained);
    add("zeros, all parameters zero", zeros, zero);
    add("all entries equal", equal, trained);
    add("one row repeated", repeated, trained);
    add("rank one", rank_one, trained);
    add("entries of +-2047", extreme, trained);
    add("entries of +-2047, diverged", extreme, diverged);
    add("entries at random", noise, trained);
    add("each row its own key, X identity", own_key, identity_trained_y);
    add("each row its own key, X identity, Y zero", own_key, identity);

    for (std::size_t round = 0; round < rounds + 3; ++round) {
        for (Case& one : cases) one.run(round);
        if (round < 3)  // to warm up
            for (Case& one : cases) one.seconds.clear();
    }
    const std::vector<double> healthy = cases.front().seconds;
    if (!json)
        std::puts("case                                              ns per unit   to healthy");
    for (const Case& one : cases) {
        std::vector<double> ratios(rounds);
        std::ranges::transform(one.seconds, healthy, ratios.begin(), std::divides<>());
        std::printf(json ? "{\"case\": \"%s\", \"ns_per_unit\": %.0f, \"ratio\": %.4f}\n"
                         : "%-48s %12.0f   %10.4f\n",
                    one.name.c_str(), median(one.seconds) * 1e9, median(ratios));
    }
}
