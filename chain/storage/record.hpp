#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"
#include "chain/storage/key_value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// Every stored value is a record: its payload followed by the first eight bytes of
//
//   H("gradient/storage/record", key size as a 4-byte integer, key, payload)
//
// so that a flipped or missing byte, or a value under the wrong key, is seen whatever the database
// below checks.

namespace gradient::chain {

inline constexpr std::size_t kRecordSealBytes = 8;

/// The record of a payload under a key.
[[nodiscard]] Bytes seal_record(ByteSpan key, Bytes payload);

/// The payload of a record, as a view into it. Fails with StoreFault::corrupt; `what` names the
/// record in the message ("block 12ab...").
[[nodiscard]] Result<ByteSpan, StoreError> open_record(ByteSpan key, ByteSpan record,
                                                       std::string_view what);

/// The error for a stored thing that is damaged or missing where it must be.
[[nodiscard]] StoreError damaged(std::string_view what, std::string_view why);

/// Encodes a value into the batch as a record.
template <class T>
void put_record(WriteBatch& batch, Bytes key, const T& value) {
    Bytes record = seal_record(key, encode(value));
    batch.put(std::move(key), std::move(record));
}

/// The value stored under a key; nothing if there is none.
template <class T>
[[nodiscard]] Result<std::optional<T>, StoreError> get_record(const KeyValueView& view,
                                                              ByteSpan key, std::string_view what) {
    TRY_ASSIGN(const std::optional<Bytes> record, view.get(key));
    if (!record) return std::nullopt;
    TRY_ASSIGN(const ByteSpan payload, open_record(key, *record, what));
    auto value = decode_exact<T>(payload);
    if (!value) return fail(damaged(what, to_string(value.error())));
    return *std::move(value);
}

}  // namespace gradient::chain
