#pragma once

#include "tools/cli/cli.hpp"

namespace gradient::cli {

/// `wallet new|import|list|address`: keys in the folder `wallet` of the data directory. No node is
/// needed.
void add_wallet_commands(CLI::App& app, const CommonOptions& common);

}  // namespace gradient::cli
