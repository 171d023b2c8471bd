// Segments, evidence, blocks and coded differences on arbitrary bytes. Properties: whatever decodes
// encodes to the same bytes, and the rules that need no state judge it without reading past it.

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/consensus/block_rules.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/types/block.hpp"
#include "chain/types/task.hpp"
#include "chain/work/delta_codec.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gradient::chain {
namespace {

template <class T>
void round_trip(ByteSpan bytes) {
    const auto value = decode_exact<T>(bytes);
    if (!value) return;
    const Bytes again = encode(*value);
    CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

void fuzz_delta(ByteSpan bytes) {
    if (bytes.empty()) return;
    std::vector<std::int32_t> base(2 * std::size_t{bytes[0]});
    for (std::size_t i = 0; i < base.size(); ++i) base[i] = static_cast<std::int32_t>(i << 23);
    const ByteSpan coded = bytes.subspan(1);
    const auto value = decode_delta(base, coded);
    if (!value) return;
    const Bytes again = encode_delta(base, *value);
    CHECK(std::equal(again.begin(), again.end(), coded.begin(), coded.end()));
}

void fuzz_rules(ByteSpan bytes) {
    const ConsensusParams params;
    if (const auto block = decode_exact<Block>(bytes)) {
        static_cast<void>(check_header_form(block->header, params));
        static_cast<void>(check_claim(block->header, 1'000'000, params));
        static_cast<void>(check_block_form(*block, params));
        static_cast<void>(check_segment_form(block->winner, params.work));
    }
}

}  // namespace
}  // namespace gradient::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace gradient::chain;
    const ByteSpan bytes(data, size);
    round_trip<Header>(bytes);
    round_trip<Segment>(bytes);
    round_trip<WorkEvidence>(bytes);
    round_trip<Block>(bytes);
    round_trip<TaskRecord>(bytes);
    fuzz_delta(bytes);
    fuzz_rules(bytes);
    return 0;
}
