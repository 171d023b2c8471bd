#pragma once

#include "chain/base/result.hpp"
#include "chain/state/store_error.hpp"
#include "node/setup/failure.hpp"

#include <utility>

namespace gradient::node {

/// The failure that a store's error means for the program.
[[nodiscard]] Failure store_failure(const chain::StoreError& error);

/// What the node needs of its store; throws the failure that an error means.
template <class T>
T require(chain::Result<T, chain::StoreError> result) {
    if (!result) throw store_failure(result.error());
    return *std::move(result);
}

}  // namespace gradient::node
