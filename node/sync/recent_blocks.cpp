#include "node/sync/recent_blocks.hpp"

#include "chain/base/codec.hpp"

#include <algorithm>
#include <utility>

namespace gradient::node {

void RecentBlocks::add(const chain::Hash256& id, SharedBlock block,
                       std::optional<chain::IncludedSegments> included) {
    const std::size_t bytes = chain::encoded_size(*block);
    remove(id);
    keep({id, std::move(block), std::move(included), bytes});
}

void RecentBlocks::stored(const chain::Hash256& id) {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    if (found != entries_.end()) found->included.reset();
}

void RecentBlocks::remove(const chain::Hash256& id) {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    if (found == entries_.end()) return;
    bytes_ -= found->bytes;
    entries_.erase(found);
}

void RecentBlocks::keep(Entry entry) {
    bytes_ += entry.bytes;
    entries_.push_back(std::move(entry));
    while (entries_.size() > kMaxBlocks || bytes_ > kMaxBytes) {
        bytes_ -= entries_.front().bytes;
        entries_.pop_front();
    }
}

std::optional<RecentBlocks::Entry> RecentBlocks::find(const chain::Hash256& id) {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    if (found != entries_.end()) {
        if (!found->included) {
            // By now it may have been judged and stored.
            if (auto outline = ledger_.outline(id); outline && *outline) {
                found->included = std::move((*outline)->segments);
            }
        }
        return *found;
    }
    auto loaded = load(id);
    if (loaded && loaded->block->header.tmpl.height + kMaxDepth > ledger_.tip()->height()) {
        keep(*loaded);
    }
    return loaded;
}

std::optional<RecentBlocks::Entry> RecentBlocks::at_hand(const chain::Hash256& id) const {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    if (found == entries_.end()) return std::nullopt;
    return *found;
}

std::optional<RecentBlocks::Entry> RecentBlocks::load(const chain::Hash256& id) const {
    auto block = ledger_.block(id);
    if (!block || !*block) return std::nullopt;
    const std::size_t bytes = chain::encoded_size(**block);
    Entry entry{id, std::make_shared<const chain::Block>(**std::move(block)), {}, bytes};
    if (auto outline = ledger_.outline(id); outline && *outline) {
        entry.included = std::move((*outline)->segments);
    }
    return entry;
}

}  // namespace gradient::node
