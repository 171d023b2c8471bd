#include "chain/types/block.hpp"

#include "chain/base/hash.hpp"
#include "chain/base/merkle.hpp"

namespace gradient::chain {

Hash256 transaction_id(const Transaction& transaction) noexcept {
    static const TaggedHasher kHasher("gradient/transaction");
    return hash_encoded(kHasher, transaction);
}

Hash256 transaction_root(std::span<const Transaction> transactions) {
    std::vector<Hash256> ids;
    ids.reserve(transactions.size());
    for (const Transaction& transaction : transactions) ids.push_back(transaction_id(transaction));
    return merkle_root(ids);
}

}  // namespace gradient::chain
