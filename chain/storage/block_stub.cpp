#include "chain/storage/block_stub.hpp"

#include "chain/base/merkle.hpp"

namespace gradient::chain {

BlockStub stub_of(const Block& block) {
    BlockStub stub;
    stub.transactions.reserve(block.transactions.size());
    for (const Transaction& transaction : block.transactions) {
        const auto* one = std::get_if<SignedTransaction>(&transaction.content);
        if (one) {
            stub.transactions.push_back({*one});
        } else {
            stub.transactions.push_back({transaction_id(transaction)});
        }
    }
    return stub;
}

std::vector<Hash256> stub_transaction_ids(const BlockStub& stub) {
    std::vector<Hash256> ids;
    ids.reserve(stub.transactions.size());
    for (const StubTransaction& transaction : stub.transactions) {
        const auto* one = std::get_if<SignedTransaction>(&transaction.content);
        ids.push_back(one ? transaction_id(*one) : std::get<Hash256>(transaction.content));
    }
    return ids;
}

Hash256 stub_transaction_root(const BlockStub& stub) {
    return merkle_root(stub_transaction_ids(stub));
}

}  // namespace gradient::chain
