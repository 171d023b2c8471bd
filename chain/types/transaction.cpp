#include "chain/types/transaction.hpp"

#include "chain/base/hash.hpp"
#include "chain/base/merkle.hpp"
#include "chain/types/header.hpp"

namespace gradient::chain {

namespace {

Hash256 id_of(const SignedTransaction& transaction) {
    return transaction_id(transaction);
}

// A share's id needs s_K, which only the lane's start gives; the digests fix it all the same.
Hash256 id_of(const ShareTransaction& share) {
    static const TaggedHasher kHasher("gradient/transaction-share");
    const auto& digests = share.segment.body.digests;
    return hash_encoded(kHasher, template_hash(share.segment.tmpl), bounded<kMaxUnits>(digests));
}

}  // namespace

Hash256 transaction_message(const Hash256& genesis, const SignedTransaction& transaction) {
    static const TaggedHasher kHasher("gradient/transaction-signature");
    return hash_encoded(kHasher, genesis, transaction.network_id, transaction.sender,
                        transaction.nonce, transaction.fee, transaction.action);
}

Hash256 transaction_id(const SignedTransaction& transaction) {
    static const TaggedHasher kHasher("gradient/transaction");
    return hash_encoded(kHasher, transaction);
}

Hash256 transaction_id(const Transaction& transaction) {
    return std::visit([](const auto& content) { return id_of(content); }, transaction.content);
}

std::vector<Hash256> transaction_ids(std::span<const Transaction> transactions) {
    std::vector<Hash256> ids;
    ids.reserve(transactions.size());
    for (const Transaction& transaction : transactions) ids.push_back(transaction_id(transaction));
    return ids;
}

Hash256 transaction_root(std::span<const Transaction> transactions) {
    return merkle_root(transaction_ids(transactions));
}

}  // namespace gradient::chain
