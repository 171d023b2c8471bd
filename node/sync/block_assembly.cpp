#include "node/sync/block_assembly.hpp"

#include "chain/base/codec.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace gradient::node {

namespace {

using chain::Hash256;
using chain::ShareTransaction;
using chain::SignedTransaction;

bool ascend_below(const std::vector<std::uint32_t>& places, std::size_t end) {
    return std::ranges::adjacent_find(places, std::greater_equal()) == places.end() &&
           (places.empty() || places.back() < end);
}

bool names_twice(const Outline& outline) {
    std::set<Hash256> seen;
    const auto is_new = [&](const Hash256& id) { return seen.insert(id).second; };
    return !std::ranges::all_of(outline.listed, is_new) ||
           !std::ranges::all_of(outline.transactions, is_new, &ItemId::id);
}

const Hash256& id_of(const auto& pooled) {
    if constexpr (requires { pooled.outcome; }) {
        return pooled.outcome.id;
    } else {
        return pooled.id;
    }
}

}  // namespace

Outline make_outline(const chain::Block& block, const chain::IncludedSegments& included) {
    Outline outline{block.header, included.listed, {}, block.winner};
    auto late = included.late.begin();
    for (const chain::Transaction& transaction : block.transactions) {
        if (const auto* made = std::get_if<SignedTransaction>(&transaction.content)) {
            outline.transactions.push_back({ItemKind::transaction, chain::transaction_id(*made)});
        } else {
            outline.transactions.push_back({ItemKind::share, *late++});
        }
    }
    return outline;
}

std::optional<chain::IncludedSegments> ids_from_pool(const chain::Block& block,
                                                     const chain::SharePool& pool) {
    chain::IncludedSegments included;
    const auto add = [&](const chain::Segment& segment, std::vector<Hash256>& to) {
        const auto pooled = pool.find_lane(chain::template_hash(segment.tmpl));
        if (!pooled || pooled->segment->body.digests != segment.body.digests) return false;
        to.push_back(id_of(*pooled));
        return true;
    };
    for (const chain::Segment& segment : block.listed) {
        if (!add(segment, included.listed)) return std::nullopt;
    }
    for (const chain::Transaction& transaction : block.transactions) {
        const auto* late = std::get_if<ShareTransaction>(&transaction.content);
        if (late && !add(late->segment, included.late)) return std::nullopt;
    }
    return included;
}

std::optional<Parts> take_parts(const chain::Block& block, const GetParts& request) {
    if (!ascend_below(request.listed, block.listed.size()) ||
        !ascend_below(request.transactions, block.transactions.size())) {
        return std::nullopt;
    }
    Parts parts{request.block, {}, {}};
    for (const std::uint32_t place : request.listed) parts.listed.push_back(block.listed[place]);
    for (const std::uint32_t place : request.transactions) {
        parts.transactions.push_back(block.transactions[place]);
    }
    return parts;
}

BlockAssembly::BlockAssembly(Outline outline, std::size_t max_bytes)
    : outline_(std::move(outline)),
      max_bytes_(max_bytes),
      listed_(outline_.listed.size()),
      transactions_(outline_.transactions.size()) {
    missing_.block = chain::header_id(outline_.header);
}

std::optional<BlockAssembly> BlockAssembly::start(Outline outline, const RelayView& view) {
    const chain::Template& tmpl = outline.header.tmpl;
    const auto is_block = [](const ItemId& item) { return item.kind == ItemKind::block; };
    if (outline.winner.units() != outline.header.units ||
        chain::settle_root(outline.listed) != tmpl.settle_root || names_twice(outline) ||
        std::ranges::any_of(outline.transactions, is_block)) {
        return std::nullopt;
    }
    BlockAssembly assembly(std::move(outline), view.ledger.network().params().max_block_bytes);
    assembly.take_from_pools(view);
    return assembly;
}

void BlockAssembly::take_from_pools(const RelayView& view) {
    for (std::uint32_t place = 0; place < listed_.size(); ++place) {
        if (const auto found = view.shares.find(outline_.listed[place])) {
            listed_[place] = found->segment;
            has_used_pools_ = true;
        } else {
            missing_.listed.push_back(place);
        }
    }
    for (std::uint32_t place = 0; place < transactions_.size(); ++place) {
        const ItemId& item = outline_.transactions[place];
        if (item.kind == ItemKind::share) {
            if (const auto found = view.shares.find(item.id)) transactions_[place] = found->segment;
        } else if (SharedTransaction found = view.mempool.find(item.id)) {
            transactions_[place] = std::move(found);
        }
        if (transactions_[place].index() == 0) {
            missing_.transactions.push_back(place);
        } else {
            has_used_pools_ = true;
        }
    }
}

bool BlockAssembly::add(Parts parts) {
    if (parts.listed.size() != missing_.listed.size() ||
        parts.transactions.size() != missing_.transactions.size()) {
        return false;
    }
    for (std::size_t i = 0; i < missing_.listed.size(); ++i) {
        listed_[missing_.listed[i]] =
            std::make_shared<const chain::Segment>(std::move(parts.listed[i]));
    }
    for (std::size_t i = 0; i < missing_.transactions.size(); ++i) {
        if (!put(missing_.transactions[i], std::move(parts.transactions[i]))) return false;
    }
    missing_.listed.clear();
    missing_.transactions.clear();
    return true;
}

bool BlockAssembly::put(std::uint32_t place, chain::Transaction transaction) {
    const ItemId& item = outline_.transactions[place];
    if (auto* made = std::get_if<SignedTransaction>(&transaction.content)) {
        if (item != ItemId{ItemKind::transaction, chain::transaction_id(*made)}) return false;
        transactions_[place] = std::make_shared<const SignedTransaction>(std::move(*made));
        return true;
    }
    if (item.kind != ItemKind::share) return false;
    auto& late = *std::get_if<ShareTransaction>(&transaction.content);
    transactions_[place] = std::make_shared<const chain::Segment>(std::move(late.segment));
    return true;
}

// Sizes are summed before anything is copied: the same few shares could be named by many outlines.
SharedBlock BlockAssembly::finish() const {
    std::size_t bytes = 0;
    for (const SharedSegment& segment : listed_) bytes += chain::encoded_size(*segment);
    for (const Part& part : transactions_) {
        if (const auto* made = std::get_if<SharedTransaction>(&part)) {
            bytes += chain::encoded_size(**made);
        } else {
            bytes += chain::encoded_size(**std::get_if<SharedSegment>(&part));
        }
    }
    if (bytes > max_bytes_) return nullptr;

    chain::Block block{outline_.header, {}, {}, outline_.winner};
    block.listed.reserve(listed_.size());
    for (const SharedSegment& segment : listed_) block.listed.push_back(*segment);
    block.transactions.reserve(transactions_.size());
    for (const Part& part : transactions_) {
        if (const auto* made = std::get_if<SharedTransaction>(&part)) {
            block.transactions.push_back({**made});
        } else {
            block.transactions.push_back({ShareTransaction{**std::get_if<SharedSegment>(&part)}});
        }
    }
    if (chain::transaction_root(block.transactions) != block.header.tmpl.transaction_root ||
        chain::encoded_size(block) > max_bytes_) {
        return nullptr;
    }
    return std::make_shared<const chain::Block>(std::move(block));
}

chain::IncludedSegments BlockAssembly::included() const {
    chain::IncludedSegments included;
    included.listed = outline_.listed;
    for (const ItemId& item : outline_.transactions) {
        if (item.kind == ItemKind::share) included.late.push_back(item.id);
    }
    return included;
}

}  // namespace gradient::node
