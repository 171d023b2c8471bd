#include "tools/cli/ngram.hpp"

#include "chain/base/check.hpp"

#include <algorithm>

namespace gradient::cli {

NgramTables::NgramTables(std::span<const std::uint8_t> training, std::size_t vocabulary)
    : vocabulary_(vocabulary) {
    CHECK(vocabulary >= 1 && vocabulary <= 256);
    std::size_t contexts = 1;  // vocabulary^(order - 1)
    for (std::size_t order = 1; order <= kMaxOrder; ++order, contexts *= vocabulary) {
        auto& counts = counts_.at(order - 1);
        counts.assign(contexts * vocabulary, 0);
        std::size_t context = 0;
        for (std::size_t i = 0; i < training.size(); ++i) {
            CHECK(training[i] < vocabulary);
            if (i + 1 >= order) ++counts[context * vocabulary + training[i]];
            context = (context * vocabulary + training[i]) % contexts;
        }
        auto& summaries = summaries_.at(order - 1);
        summaries.resize(contexts);
        for (std::size_t c = 0; c < contexts; ++c) {
            const auto frequencies = row(order, c);
            Summary& summary = summaries[c];
            double squares = 0;
            for (std::size_t t = 0; t < vocabulary; ++t) {
                summary.total += frequencies[t];
                squares +=
                    static_cast<double>(frequencies[t]) * static_cast<double>(frequencies[t]);
                if (frequencies[t] > frequencies[summary.most_probable]) summary.most_probable = t;
            }
            const auto total = static_cast<double>(summary.total);
            if (summary.total > 0) summary.squared_sum = squares / (total * total);
        }
    }
    for (std::size_t i = 0; i < training_end_.size() && i < training.size(); ++i) {
        training_end_.at(training_end_.size() - 1 - i) = training[training.size() - 1 - i];
    }
}

std::span<const std::uint32_t> NgramTables::row(std::size_t order, std::size_t context) const {
    return std::span(counts_.at(order - 1)).subspan(context * vocabulary_, vocabulary_);
}

NgramScore NgramTables::evaluate(std::size_t order, std::span<const std::uint8_t> held_out) const {
    CHECK(order >= 1 && order <= kMaxOrder);
    NgramScore score;
    double brier_sum = 0;
    std::uint64_t correct = 0;
    std::size_t older = training_end_[0];
    std::size_t previous = training_end_[1];
    for (const std::size_t token : held_out) {
        CHECK(token < vocabulary_);
        const std::array<std::size_t, kMaxOrder> contexts{0, previous,
                                                          older * vocabulary_ + previous};
        std::size_t used = order;
        while (used > 1 && summaries_.at(used - 1)[contexts.at(used - 1)].total == 0) --used;
        const std::size_t context = contexts.at(used - 1);
        const Summary& summary = summaries_.at(used - 1)[context];
        const double probability = summary.total == 0
                                       ? 0
                                       : static_cast<double>(row(used, context)[token]) /
                                             static_cast<double>(summary.total);
        brier_sum += summary.squared_sum - 2 * probability + 1;
        correct += summary.most_probable == token ? 1U : 0U;
        older = previous;
        previous = token;
    }
    score.rows = held_out.size();
    if (score.rows > 0) {
        score.brier = brier_sum / static_cast<double>(score.rows);
        score.accuracy = static_cast<double>(correct) / static_cast<double>(score.rows);
    }
    return score;
}

}  // namespace gradient::cli
