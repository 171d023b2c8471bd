#include "node/sync/header_survey.hpp"

#include <iterator>

namespace gradient::node {

chain::Result<void, chain::HeaderError> HeaderSurvey::extend(const chain::Header& header,
                                                             const chain::Network& network,
                                                             std::uint64_t now_ms) {
    TRY(end_.extend(header, network, now_ms));
    if (size() % interval_ == 0) known_.emplace(end_.height(), end_.id());
    return {};
}

bool HeaderSurvey::agrees(const chain::Hash256& id, std::uint64_t height) const {
    if (height == end_.height()) return id == end_.id();
    const auto known = known_.find(height);
    return known == known_.end() || known->second == id;
}

std::uint64_t HeaderSurvey::known_height(std::uint64_t height) const {
    if (height >= end_.height()) return height;
    const auto above = known_.upper_bound(height);
    return above == known_.begin() ? start_height_ : std::prev(above)->first;
}

}  // namespace gradient::node
