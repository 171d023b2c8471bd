#include "node/rpc/block_search.hpp"

#include "node/rpc/service_methods.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

namespace gradient::node {

Task<bool> search_blocks(TransactionService& service, std::uint64_t lowest, BlockVisitor visitor) {
    std::optional<std::uint64_t> next;  // the height to look at
    std::uint64_t end = 0;              // the one to look at last
    bool found = false;
    const auto step = [&]() -> boost::json::value {
        if (!next) {
            next = service.height();
            const std::uint64_t reach = *next < kMaxSearchBlocks ? 0 : *next - kMaxSearchBlocks;
            end = std::max({lowest, reach + 1, std::uint64_t{1}});
        }
        for (std::uint64_t i = 0; i < kSearchStep && *next >= end && !found; ++i, --*next) {
            const auto header = service.header_at(*next);
            found = header && visitor(*next, *header);
        }
        return nullptr;
    };
    do {
        TransactionService::Query query = step;
        co_await service.on_strand(std::move(query));
    } while (!found && *next >= end);
    co_return found;
}

}  // namespace gradient::node
