#include "chain/storage/key_value.hpp"

#include <utility>

namespace gradient::chain {

void WriteBatch::put(Bytes key, Bytes value) {
    size_bytes_ += key.size() + value.size();
    operations_.push_back({std::move(key), std::move(value)});
}

void WriteBatch::erase(Bytes key) {
    size_bytes_ += key.size();
    operations_.push_back({std::move(key), std::nullopt});
}

}  // namespace gradient::chain
