#pragma once

#include "chain/state/store_error.hpp"
#include "node/setup/failure.hpp"

namespace gradient::node {

/// The failure that a store's error means for the program.
[[nodiscard]] Failure store_failure(const chain::StoreError& error);

}  // namespace gradient::node
