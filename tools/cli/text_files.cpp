#include "tools/cli/text_files.hpp"

#include "model/text/text_dataset.hpp"
#include "node/setup/files.hpp"

#include <fmt/format.h>

namespace gradient::cli {

chain::Bytes joined_texts(const std::vector<std::filesystem::path>& files) {
    const auto refuse = [](const std::string& sentence) {
        return node::Failure(node::ExitCode::chain_spec, sentence);
    };
    chain::Bytes all;
    for (const auto& file : files) {
        const std::string text =
            node::read_file(file, model::TextDataset::kMaxBytes, node::ExitCode::chain_spec);
        if (text.find('\0') != std::string::npos) {
            throw refuse(fmt::format("Cannot use {}: it contains a zero byte, so it is no text.",
                                     file.string()));
        }
        all.insert(all.end(), text.begin(), text.end());
        if (!all.empty() && all.back() != '\n') all.push_back('\n');
    }
    if (all.size() < model::TextDataset::kMinBytes || all.size() > model::TextDataset::kMaxBytes) {
        throw refuse(fmt::format("The text has {} bytes; it needs {} to {}.", all.size(),
                                 model::TextDataset::kMinBytes, model::TextDataset::kMaxBytes));
    }
    return all;
}

}  // namespace gradient::cli
