#pragma once

#include "chain/consensus/errors.hpp"
#include "chain/light/standalone_evidence.hpp"

#include <cstdint>
#include <string_view>
#include <variant>

namespace gradient::chain {

/// Why a claimed chain is not believed, beside the rules for headers and evidence.
enum class HistoryFault : std::uint8_t {
    wrong_tail,          // not the last headers up to the tip, or not as many as there are
    wrong_genesis,       // the history does not begin with the network's genesis block
    wrong_work,          // the work does not add up to what the tip claims
    wrong_sample_count,  // not one sample for each value asked for
    wrong_sample,        // a sample's block is not the one at the value asked for
    wrong_place,         // a header is not where it says in the history
    wrong_parent_place,  // its parent does not stand below it in its own history
    wrong_prefix,        // its own history does not begin the one of the chain
    task_changed,        // two blocks prove different records of one task
    wrong_chunk,         // a chunk of a task's data has another size than its record says
    // not the teller's fault: this judge can't tell
    too_many_samples,  // so little of the work is in the tail that it would take more than
                       // kMaxSamples
    too_much_data,     // the user tasks of the sampled blocks have more than kMaxTaskData
};

/// Why a chain is not believed.
using HistoryFailure = std::variant<HistoryFault, HeaderError, EvidenceError>;

/// One sentence for the failure.
[[nodiscard]] std::string_view describe(HistoryFault fault) noexcept;
[[nodiscard]] std::string_view describe(const HistoryFailure& failure) noexcept;

/// Whether whoever told of the chain is to blame.
[[nodiscard]] bool is_lie(const HistoryFailure& failure) noexcept;

}  // namespace gradient::chain
