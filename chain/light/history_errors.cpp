#include "chain/light/history_errors.hpp"

namespace gradient::chain {

std::string_view describe(HistoryFault fault) noexcept {
    switch (fault) {
        case HistoryFault::wrong_tail:
            return "the headers are not the last ones up to the tip";
        case HistoryFault::wrong_genesis:
            return "the history does not begin with the network's genesis block";
        case HistoryFault::wrong_work:
            return "the work does not add up to what the tip claims";
        case HistoryFault::wrong_sample_count:
            return "there is not one sample for each value asked for";
        case HistoryFault::wrong_sample:
            return "a sample is not the block at the value asked for";
        case HistoryFault::wrong_place:
            return "a header does not stand where it says in the history";
        case HistoryFault::wrong_parent_place:
            return "a header's parent does not stand below it in its own history";
        case HistoryFault::wrong_prefix:
            return "a header's own history does not begin the chain's";
        case HistoryFault::task_changed:
            return "two blocks prove different records of one task";
        case HistoryFault::wrong_chunk:
            return "a chunk of a task's data does not have its size";
        case HistoryFault::too_many_samples:
            return "so little of the work is in the last blocks that judging takes too many "
                   "samples";
        case HistoryFault::too_much_data:
            return "the tasks of the sampled blocks have more data than this judge fetches";
    }
    return "unknown history fault";
}

std::string_view describe(const HistoryFailure& failure) noexcept {
    return std::visit([](const auto& one) { return describe(one); }, failure);
}

bool is_lie(const HistoryFailure& failure) noexcept {
    if (const auto* header = std::get_if<HeaderError>(&failure)) {
        return *header != HeaderError::time_too_far;
    }
    const auto* fault = std::get_if<HistoryFault>(&failure);
    return !fault ||
           (*fault != HistoryFault::too_many_samples && *fault != HistoryFault::too_much_data);
}

}  // namespace gradient::chain
