#pragma once

#include "chain/base/amount.hpp"
#include "tools/cli/data_plan.hpp"
#include "tools/cli/sender.hpp"

#include <cstddef>

namespace gradient::cli {

/// What publishing data has taken.
struct Published {
    std::size_t known = 0;  ///< chunks that were on the chain before
    std::size_t sent = 0;   ///< chunks published now
    chain::Amount fees;
};

/// Puts the data's chunks on the chain that are not there, a few at a time, and waits until all
/// are. Shows the fees first and a progress bar.
Published publish_data(const CommonOptions& common, Sender& sender, const DataPlan& data);

}  // namespace gradient::cli
