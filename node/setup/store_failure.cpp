#include "node/setup/store_failure.hpp"

namespace gradient::node {

Failure store_failure(const chain::StoreError& error) {
    switch (error.fault) {
        case chain::StoreFault::corrupt:
        case chain::StoreFault::unreadable:
        case chain::StoreFault::in_use:
        case chain::StoreFault::foreign:
            return {ExitCode::data_directory, error.message};
        case chain::StoreFault::pruned:
            return {ExitCode::failure, error.message};
        case chain::StoreFault::full:
        case chain::StoreFault::failed:
            return {ExitCode::storage, error.message};
    }
    return {ExitCode::storage, error.message};
}

}  // namespace gradient::node
