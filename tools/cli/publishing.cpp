#include "tools/cli/publishing.hpp"

#include "node/setup/failure.hpp"
#include "tools/cli/terminal.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <deque>
#include <set>
#include <vector>

namespace gradient::cli {

namespace {

namespace json = boost::json;

// Chunks in the pool at a time: a sender that waits for a few must not fill it.
constexpr std::size_t kMaxWaiting = 16;

// Indices of the chunks that must be published, each id once.
std::vector<std::size_t> missing_chunks(node::RpcClient& client, const DataPlan& data) {
    std::string ids;
    for (const auto& chunk : data.chunks) ids += chunk.to_hex() + " ";
    const auto answer = client.call("chunk_known", {{"ids", ids}});
    const auto& known = answer.at("known").as_array();
    std::set<chain::Hash256> seen;
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < data.chunks.size(); ++i) {
        if (!known.at(i).as_bool() && seen.insert(data.chunks[i]).second) missing.push_back(i);
    }
    return missing;
}

chain::Amount total_fee(const Sender& sender, const DataPlan& data,
                        const std::vector<std::size_t>& chunks) {
    chain::Amount total;
    for (const std::size_t index : chunks) {
        const auto fee = sender.fee_of(chain::PublishData{data.chunk(index)});
        const auto sum = chain::checked_add(total, fee);
        if (!sum) {
            throw node::Failure(node::ExitCode::usage,
                                "The fees together exceed the largest amount.");
        }
        total = *sum;
    }
    return total;
}

}  // namespace

Published publish_data(const CommonOptions& common, Sender& sender, const DataPlan& data) {
    const auto missing = missing_chunks(sender.client(), data);
    Published published{data.chunks.size() - missing.size(), 0, total_fee(sender, data, missing)};
    if (!common.json) {
        fmt::print("data  {} bytes, {} chunk(s), {} of them to publish for {} coins\n",
                   data.bytes.size(), data.chunks.size(), missing.size(),
                   published.fees.to_string());
        static_cast<void>(std::fflush(stdout));
    }
    ProgressBar bar("chunks");
    std::deque<chain::Hash256> waiting;
    std::size_t done = 0;
    const auto wait_for_first = [&] {
        wait_for_transaction(sender.client(), waiting.front(), 1);
        waiting.pop_front();
        bar.show(++done, missing.size());
    };
    for (const std::size_t index : missing) {
        if (waiting.size() == kMaxWaiting) wait_for_first();
        // Somebody else may have published the same bytes meanwhile.
        const Sent sent = sender.send(chain::PublishData{data.chunk(index)}, "chunk_known");
        if (sent.refusal.empty()) {
            waiting.push_back(sent.id);
            ++published.sent;
        } else {
            ++published.known;
            bar.show(++done, missing.size());
        }
    }
    while (!waiting.empty()) wait_for_first();
    return published;
}

}  // namespace gradient::cli
