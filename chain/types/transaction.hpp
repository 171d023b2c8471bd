#pragma once

// Grammar (chain/SPEC.md section 4):
//
//   transaction  variant: 0 signed transaction, 1 share
//   signed       network id u32, sender key, nonce u64, fee, action, signature (64 bytes)
//   action       variant: 0 transfer, 1 publish data, 2 create task, 3 fund task, 4 cancel task,
//                5 commit fraud, 6 reveal fraud
//   share        segment
//
// Indices are part of the wire form. Never reorder.

#include "chain/base/amount.hpp"
#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/crypto/address.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/fraud.hpp"
#include "chain/types/limits.hpp"
#include "chain/types/segment.hpp"
#include "chain/types/task.hpp"

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

namespace gradient::chain {

/// Moves coins to an address.
struct Transfer {
    Address to;
    Amount amount;  ///< not zero

    friend bool operator==(const Transfer&, const Transfer&) = default;
    static auto fields(auto& self) { return std::tie(self.to, self.amount); }
};

/// Puts a chunk of data on the chain, where tasks refer to it by its id (chain/types/data.hpp).
struct PublishData {
    Bytes chunk;  ///< 1 to kDataChunkBytes bytes

    friend bool operator==(const PublishData&, const PublishData&) = default;
    static auto fields(auto& self) { return field_list(bounded<kDataChunkBytes>(self.chunk)); }
};

/// Starts a model under training and pays for it in advance.
struct CreateTask {
    TaskKind kind = TaskKind::attention;
    AttentionShape shape;
    DataFormat data_format = DataFormat::text;
    std::uint64_t data_bytes = 0;   ///< of all chunks together
    std::vector<Hash256> chunks;    ///< ids in order; all but the last of kDataChunkBytes
    std::uint64_t unit_budget = 0;  ///< units to be trained; not 0
    Amount pay_per_hit;             ///< from the escrow, on top of the emission
    Amount escrow;                  ///< paid in now

    friend bool operator==(const CreateTask&, const CreateTask&) = default;
    static auto fields(auto& self) {
        return field_list(self.kind, self.shape, self.data_format, self.data_bytes,
                          bounded<kMaxDataChunks>(self.chunks), self.unit_budget, self.pay_per_hit,
                          self.escrow);
    }
};

/// Adds to a task's escrow; anybody may.
struct FundTask {
    std::uint32_t task = 0;
    Amount amount;  ///< not zero

    friend bool operator==(const FundTask&, const FundTask&) = default;
    static auto fields(auto& self) { return std::tie(self.task, self.amount); }
};

/// Ends a task; its owner only. What is left of the escrow is refunded when its last shares have
/// had their time.
struct CancelTask {
    std::uint32_t task = 0;

    friend bool operator==(const CancelTask&, const CancelTask&) = default;
    static auto fields(auto& self) { return std::tie(self.task); }
};

/// What a signed transaction does.
using Action =
    std::variant<Transfer, PublishData, CreateTask, FundTask, CancelTask, CommitFraud, RevealFraud>;

/// A transaction of an account.
struct SignedTransaction {
    std::uint32_t network_id = 0;  ///< of the chain spec
    PublicKey sender;              ///< whose account pays, and who signs
    std::uint64_t nonce = 0;       ///< the account's, at that moment
    Amount fee;                    ///< to the miner of the block
    Action action;
    Signature signature;  ///< over transaction_message

    friend bool operator==(const SignedTransaction&, const SignedTransaction&) = default;
    static auto fields(auto& self) {
        return std::tie(self.network_id, self.sender, self.nonce, self.fee, self.action,
                        self.signature);
    }
};

/// A late share: a segment of a round that has been settled without it. Nobody signs it but its
/// miner, whoever includes it, and its fees come out of its pay.
struct ShareTransaction {
    Segment segment;

    friend bool operator==(const ShareTransaction&, const ShareTransaction&) = default;
    static auto fields(auto& self) { return std::tie(self.segment); }
};

/// Anything that a block includes beside its listed segments.
struct Transaction {
    static constexpr std::size_t kMinEncodedSize = 1;

    std::variant<SignedTransaction, ShareTransaction> content;

    friend bool operator==(const Transaction&, const Transaction&) = default;
    static auto fields(auto& self) { return std::tie(self.content); }
};

/// What the sender signs: H("gradient/transaction-signature", genesis block id, everything but the
/// signature), so that no transaction can be replayed on another network.
[[nodiscard]] Hash256 transaction_message(const Hash256& genesis,
                                          const SignedTransaction& transaction);

/// A transaction's id. Of a signed one H("gradient/transaction", transaction); of a share
/// H("gradient/transaction-share", T, digests): its openings and signature are witness data.
[[nodiscard]] Hash256 transaction_id(const SignedTransaction& transaction);
[[nodiscard]] Hash256 transaction_id(const Transaction& transaction);

/// Their ids, in order.
[[nodiscard]] std::vector<Hash256> transaction_ids(std::span<const Transaction> transactions);

/// What tmpl.transaction_root must be for these transactions: the Merkle root over their ids.
[[nodiscard]] Hash256 transaction_root(std::span<const Transaction> transactions);

}  // namespace gradient::chain
