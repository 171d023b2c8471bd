#pragma once

#include "chain/storage/key_value.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string_view>

namespace gradient::test {

/// Every record of a store whose key begins with one of the given table letters.
inline std::map<chain::Bytes, chain::Bytes> contents(const chain::KeyValueView& store,
                                                     std::string_view tables) {
    std::map<chain::Bytes, chain::Bytes> records;
    for (const char table : tables) {
        const auto scanned = store.scan(
            chain::as_bytes({&table, 1}), [&](chain::ByteSpan key, chain::ByteSpan value) {
                records[{key.begin(), key.end()}] = {value.begin(), value.end()};
                return true;
            });
        EXPECT_TRUE(scanned.has_value());
    }
    return records;
}

/// Tables that depend on the active chain alone, not on what else is stored: tip, height index,
/// range, state entries, tree nodes, heights of transactions.
inline constexpr std::string_view kActiveTables = "tamsnx";

/// All tables.
inline constexpr std::string_view kAllTables = "vtahbedmsnx";

}  // namespace gradient::test
