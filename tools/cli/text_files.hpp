#pragma once

#include "chain/base/bytes.hpp"

#include <filesystem>
#include <vector>

namespace gradient::cli {

/// Text files joined in this order, each ending with a line break: the data of a task. Throws
/// node::Failure(chain_spec) for a file that is no text, and for too little or too much of it.
[[nodiscard]] chain::Bytes joined_texts(const std::vector<std::filesystem::path>& files);

}  // namespace gradient::cli
