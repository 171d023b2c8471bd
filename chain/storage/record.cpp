#include "chain/storage/record.hpp"

#include "chain/base/hash.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace gradient::chain {

namespace {

using Seal = std::array<std::uint8_t, kRecordSealBytes>;

Seal seal_of(ByteSpan key, ByteSpan payload) {
    static const TaggedHasher hasher("gradient/storage/record");
    Sha256 state = hasher.start();
    write_integer(state, static_cast<std::uint32_t>(key.size()));
    state.update(key).update(payload);
    const Hash256 digest = state.digest();
    Seal seal{};
    std::copy_n(digest.bytes.begin(), seal.size(), seal.begin());
    return seal;
}

}  // namespace

Bytes seal_record(ByteSpan key, Bytes payload) {
    const Seal seal = seal_of(key, payload);
    payload.insert(payload.end(), seal.begin(), seal.end());
    return payload;
}

Result<ByteSpan, StoreError> open_record(ByteSpan key, ByteSpan record, std::string_view what) {
    if (record.size() < kRecordSealBytes) return fail(damaged(what, "it is cut short"));
    const ByteSpan payload = record.first(record.size() - kRecordSealBytes);
    const Seal seal = seal_of(key, payload);
    if (!std::equal(seal.begin(), seal.end(), record.begin() + static_cast<long>(payload.size()))) {
        return fail(damaged(what, "its checksum is wrong"));
    }
    return payload;
}

StoreError damaged(std::string_view what, std::string_view why) {
    return {StoreFault::corrupt, "stored " + std::string(what) +
                                     " is damaged: " + std::string(why) +
                                     "; restore the data directory from a copy, or delete it and "
                                     "let the chain be fetched again"};
}

}  // namespace gradient::chain
