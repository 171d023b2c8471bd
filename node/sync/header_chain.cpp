#include "node/sync/header_chain.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/parent_state.hpp"

#include <utility>
#include <vector>

namespace gradient::node {

using chain::Hash256;

HeaderEnd::HeaderEnd(const Hash256& id, const chain::BlockIndex& index)
    : parent_(chain::make_parent_context(id, index)),
      work_(index.cumulative_work),
      history_(index.history) {}

chain::Result<void, chain::HeaderError> HeaderEnd::extend(const chain::Header& header,
                                                          const chain::Network& network,
                                                          std::uint64_t now_ms) {
    chain::ParentContext parent = parent_;
    if (!task_known_) {
        parent.task = header.tmpl.task;
        parent.unit_work =
            parent.task == 0 ? network.task->unit_work : network.params().max_unit_work;
    }
    const auto checked = chain::validate_header(header, parent, network.params(), now_ms);
    if (!checked) return chain::fail(checked.error());
    // More work than a number holds: nothing that has been worked for.
    if (!chain::checked_add(work_, checked->work())) {
        return chain::fail(chain::HeaderError::bad_target);
    }
    extend_checked(checked->id(), header);
    return {};
}

void HeaderEnd::extend_checked(const Hash256& id, const chain::Header& header) {
    const chain::U256 before = work_;
    work_ = chain::saturating_add(work_, chain::block_work(header.tmpl.bits));
    const bool appended =
        history_.append({id, header.tmpl.height, header.tmpl.time_ms, before, work_}).has_value();
    CHECK(appended);  // header rules: heights and times grow, work is positive
    parent_.id = id;
    parent_.height = header.tmpl.height;
    parent_.time_ms = header.tmpl.time_ms;
    parent_.history_root = history_.root();
    task_known_ = false;
}

const HeaderPool::Entry* HeaderPool::find(const Hash256& id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
}

void HeaderPool::hold(const Hash256& id, const chain::Header& header,
                      const chain::U256& cumulative_work) {
    Entry& entry = entries_.try_emplace(id, Entry{header, cumulative_work, 0}).first->second;
    ++entry.holders;
}

void HeaderPool::release(const Hash256& id) {
    const auto found = entries_.find(id);
    CHECK(found != entries_.end());
    if (--found->second.holders == 0) entries_.erase(found);
}

HeaderPath::HeaderPath(HeaderPool& pool, HeaderEnd base) : pool_(&pool), end_(std::move(base)) {}

HeaderPath::HeaderPath(HeaderPath&& other) noexcept
    : pool_(other.pool_), end_(std::move(other.end_)), ids_(std::exchange(other.ids_, {})) {}

HeaderPath& HeaderPath::operator=(HeaderPath&& other) noexcept {
    if (this == &other) return *this;
    release_all();
    pool_ = other.pool_;
    end_ = std::move(other.end_);
    ids_ = std::exchange(other.ids_, {});
    return *this;
}

HeaderPath::~HeaderPath() {
    release_all();
}

void HeaderPath::release_all() {
    for (const Hash256& id : ids_) pool_->release(id);
    ids_.clear();
}

std::optional<HeaderPath> HeaderPath::to(HeaderPool& pool, const chain::Ledger& ledger,
                                         const Hash256& id) {
    std::vector<Hash256> above;  // heights descending
    Hash256 at = id;
    while (const HeaderPool::Entry* entry = pool.find(at)) {
        above.push_back(at);
        at = entry->header.tmpl.parent;
    }
    const auto base = ledger.index(at);
    if (!base || !*base) return std::nullopt;
    HeaderPath path(pool, HeaderEnd(at, **base));
    for (auto step = above.rbegin(); step != above.rend(); ++step) {
        const HeaderPool::Entry& entry = *pool.find(*step);
        path.end_.extend_checked(*step, entry.header);
        pool.hold(*step, entry.header, entry.cumulative_work);
        path.ids_.push_back(*step);
    }
    return path;
}

bool HeaderPath::has(const Hash256& id, std::uint64_t height) const {
    const std::uint64_t first = first_height();
    return height >= first && height - first < ids_.size() && ids_[height - first] == id;
}

chain::Result<void, chain::HeaderError> HeaderPath::extend(const Hash256& id,
                                                           const chain::Header& header,
                                                           const chain::Network& network,
                                                           std::uint64_t now_ms) {
    if (pool_->find(id) != nullptr && header.tmpl.parent == end_.id()) {
        end_.extend_checked(id, header);
    } else {
        TRY(end_.extend(header, network, now_ms));
    }
    pool_->hold(id, header, end_.cumulative_work());
    ids_.push_back(id);
    return {};
}

void HeaderPath::pop_front() {
    CHECK(!ids_.empty());
    pool_->release(ids_.front());
    ids_.pop_front();
}

}  // namespace gradient::node
