#pragma once

// The entries of the state (chain/SPEC.md, "State"). Key = one kind byte and the fields named;
// numbers in keys are big-endian, so that entries of a kind lie in order. Never renumber.
//
//   1 account        address (33 bytes)        balance amount, nonce u64
//   2 maturing pay   height u64                list of pays
//   3 task           task id u32               task record, chain/types/task.hpp
//   4 progress       task id u32               model digest and counters
//   5 model          task id u32               parameters, 4 bytes each
//   6 pending round                            the round that the last block ended
//   8 totals                                   amounts over the whole chain
//   9 data chunk     chunk id (32 bytes)       the chunk's bytes
//  10 task data      task id u32               list of chunk ids
//  11 task account   task id u32               owner, escrow, status
//  12 task list                                ids of the active tasks, next id
//  13 momentum       task id u32               parameters, as a model
//  14 reference      task id u32               parameters, as a model
//  15 history        task id u32               statistics of settled segments and rounds
//  16 late list      task id u32               ids of late segments that wait for the next round
//  17 round          round u64                 what the round's lanes started from
//  18 contribution   segment id (32 bytes)     what a segment brings to its round
//  19 late           segment id (32 bytes)     a contribution that waits
//  20 archive        round u64, key            an entry as it was before the round
//  21 segment        segment id (32 bytes)     an included segment, until its pay has matured
//  22 commitment     height u64, hash          a live fraud commitment; the hash binds its sender
//  23 fraud case     subject (32 bytes)        a proven fraud whose reward is not yet paid
//  24 fraud agenda   height u64                commitments and cases that end at a height

#include "chain/base/amount.hpp"
#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/crypto/address.hpp"
#include "chain/crypto/key.hpp"
#include "chain/state/state_view.hpp"
#include "chain/types/limits.hpp"
#include "chain/types/task.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gradient::chain {

/// Kinds of entry; the first byte of a key. Never renumber.
enum class EntryKind : std::uint8_t {
    account = 1,
    maturing_pay = 2,
    task = 3,
    progress = 4,
    model = 5,
    pending_round = 6,
    totals = 8,
    data_chunk = 9,
    task_data = 10,
    task_account = 11,
    task_list = 12,
    momentum = 13,
    reference = 14,
    history = 15,
    late_list = 16,
    round = 17,
    contribution = 18,
    late = 19,
    archive = 20,
    segment = 21,
    commitment = 22,
    fraud_case = 23,
    fraud_agenda = 24,
};

[[nodiscard]] StateKey account_key(const Address& owner);
[[nodiscard]] StateKey maturing_pay_key(std::uint64_t height);
[[nodiscard]] StateKey task_key(std::uint32_t task);
[[nodiscard]] StateKey progress_key(std::uint32_t task);
[[nodiscard]] StateKey model_key(std::uint32_t task);
[[nodiscard]] StateKey pending_round_key();
[[nodiscard]] StateKey totals_key();
[[nodiscard]] StateKey data_chunk_key(const Hash256& chunk);
[[nodiscard]] StateKey task_data_key(std::uint32_t task);
[[nodiscard]] StateKey task_account_key(std::uint32_t task);
[[nodiscard]] StateKey task_list_key();
[[nodiscard]] StateKey momentum_key(std::uint32_t task);
[[nodiscard]] StateKey reference_key(std::uint32_t task);
[[nodiscard]] StateKey history_key(std::uint32_t task);
[[nodiscard]] StateKey late_list_key(std::uint32_t task);
[[nodiscard]] StateKey round_key(std::uint64_t round);
[[nodiscard]] StateKey contribution_key(const Hash256& segment);
[[nodiscard]] StateKey late_key(const Hash256& segment);
[[nodiscard]] StateKey archive_key(std::uint64_t round, const StateKey& key);
[[nodiscard]] StateKey segment_key(const Hash256& segment);
[[nodiscard]] StateKey commitment_key(std::uint64_t height, const Hash256& commitment);
[[nodiscard]] StateKey fraud_case_key(const Hash256& subject);
[[nodiscard]] StateKey fraud_agenda_key(std::uint64_t height);

/// What an address owns and how many transactions it has sent. Keyed by address, so that whoever
/// pays needs no public key. No entry stands for none of either.
struct Account {
    static constexpr std::size_t kEncodedSize = 16;

    Amount balance;
    std::uint64_t nonce = 0;

    friend bool operator==(const Account&, const Account&) = default;
    static auto fields(auto& self) { return std::tie(self.balance, self.nonce); }
};

/// Pay that one address may spend from some height on. What an included segment has earned names
/// the segment, what the includer has earned names none.
struct Pay {
    static constexpr std::size_t kEncodedSize = 73;

    Address payee;
    Amount amount;
    Hash256 segment;  ///< zero if it is no segment's pay

    friend bool operator==(const Pay&, const Pay&) = default;
    static auto fields(auto& self) { return std::tie(self.payee, self.amount, self.segment); }
};

/// Everything that matures at one height, in the order in which it was earned.
struct MaturingPay {
    static constexpr std::size_t kMaxPays = 4096;

    std::vector<Pay> pays;

    friend bool operator==(const MaturingPay&, const MaturingPay&) = default;
    static auto fields(auto& self) { return field_list(bounded<kMaxPays>(self.pays)); }
};

/// How far a task has come. Counters cover settled rounds only.
struct TaskProgress {
    static constexpr std::size_t kEncodedSize = 88;

    Hash256 model_digest;              ///< root(theta), chain/work
    std::uint64_t settled_rounds = 0;  ///< rounds that have been settled
    std::uint64_t skipped_rounds = 0;  ///< of them, those whose step the held-out rule refused
    std::uint64_t units_claimed = 0;   ///< sum of K of their segments
    std::uint64_t units_entered = 0;   ///< of them, those whose deltas entered the model
    std::uint64_t hits = 0;            ///< sum of their replayed hits
    std::uint64_t segments = 0;        ///< number of their segments
    std::uint64_t last_height = 0;     ///< block that settled the last one

    friend bool operator==(const TaskProgress&, const TaskProgress&) = default;
    static auto fields(auto& self) {
        return std::tie(self.model_digest, self.settled_rounds, self.skipped_rounds,
                        self.units_claimed, self.units_entered, self.hits, self.segments,
                        self.last_height);
    }
};

/// What becomes of a user task. Never renumber.
enum class TaskStatus : std::uint8_t {
    active = 1,     ///< takes part in the draw
    cancelled = 2,  ///< by its owner
    completed = 3,  ///< its unit budget has been trained
    exhausted = 4,  ///< its escrow can't pay another block's hits
    suspended = 5,  ///< its probe unit failed: dead, diverged or degenerate
};
[[nodiscard]] constexpr bool is_known_value(TaskStatus status) noexcept {
    return status >= TaskStatus::active && status <= TaskStatus::suspended;
}

/// Who pays for a user task, and how it stands. The genesis task has none.
struct TaskAccount {
    static constexpr std::size_t kEncodedSize = 66;

    Address owner;
    Amount escrow;  ///< what hits may still be paid from
    Amount paid;    ///< to miners so far
    TaskStatus status = TaskStatus::active;
    std::uint64_t created_height = 0;
    std::uint64_t ended_height = 0;  ///< block that ended it; 0 while active. The escrow is
                                     ///< refunded kRefundDelay blocks later.

    friend bool operator==(const TaskAccount&, const TaskAccount&) = default;
    static auto fields(auto& self) {
        return std::tie(self.owner, self.escrow, self.paid, self.status, self.created_height,
                        self.ended_height);
    }
};

/// Blocks from a task's end to the refund of its escrow: the longest way of a late share whose lane
/// started before the end.
inline constexpr std::uint64_t kRefundDelay = kMaxLateness + 2;

/// Tasks under training, the genesis task not among them, and tasks whose refund is due.
struct TaskList {
    static constexpr std::size_t kMaxEnding = 4096;

    std::uint32_t next_id = kGenesisTask + 1;
    std::vector<std::uint32_t> active;  ///< ascending
    std::vector<std::uint32_t> ending;  ///< in the order in which they ended

    friend bool operator==(const TaskList&, const TaskList&) = default;
    static auto fields(auto& self) {
        return field_list(self.next_id, bounded<kMaxActiveTasks>(self.active),
                          bounded<kMaxEnding>(self.ending));
    }
};

/// Ids of a user task's chunks.
struct TaskData {
    std::vector<Hash256> chunks;

    friend bool operator==(const TaskData&, const TaskData&) = default;
    static auto fields(auto& self) { return field_list(bounded<kMaxDataChunks>(self.chunks)); }
};

/// The round that the last block ended and the next one settles.
struct PendingRound {
    static constexpr std::size_t kEncodedSize = 44;

    std::uint64_t round = 0;  ///< height of the block that ended it
    std::uint32_t task = 0;
    Hash256 winner;  ///< id of that block's own segment

    friend bool operator==(const PendingRound&, const PendingRound&) = default;
    static auto fields(auto& self) { return std::tie(self.round, self.task, self.winner); }
};

/// A segment of a round that has been included.
struct RoundSegment {
    static constexpr std::size_t kEncodedSize = 64;

    Hash256 template_hash;  ///< a lane (= template) yields one segment
    Hash256 segment;

    friend bool operator==(const RoundSegment&, const RoundSegment&) = default;
    static auto fields(auto& self) { return std::tie(self.template_hash, self.segment); }
};

/// What the templates of a round have in common, so that its shares can be judged as long as they
/// may be included, and which of its segments are. Written with the block that ends the round.
struct Round {
    Hash256 parent;  ///< id of the block that its lanes started on
    std::uint64_t parent_time_ms = 0;
    std::uint32_t bits = 0;
    std::uint32_t task = 0;
    Hash256 state_root;    ///< after the parent
    Hash256 history_root;  ///< up to the parent
    std::vector<RoundSegment> segments;

    friend bool operator==(const Round&, const Round&) = default;
    static auto fields(auto& self) {
        return field_list(self.parent, self.parent_time_ms, self.bits, self.task, self.state_root,
                          self.history_root, bounded<kMaxRoundSegments>(self.segments));
    }
};

/// What a segment brings to its round's settlement.
struct Contribution {
    std::uint64_t round = 0;
    std::uint32_t task = 0;
    std::uint32_t hits = 0;
    std::uint32_t paid_units = 0;  ///< L: unit of the last hit
    std::uint32_t units = 0;       ///< K
    std::uint32_t lateness = 0;    ///< s: blocks late, 0 for the winner and listed ones
    Bytes delta;                   ///< theta_K - theta_0, coded against zeros

    friend bool operator==(const Contribution&, const Contribution&) = default;
    static auto fields(auto& self) {
        return field_list(self.round, self.task, self.hits, self.paid_units, self.units,
                          self.lateness, bounded<kMaxDeltaBytes>(self.delta));
    }
};

/// Late segments of a task that wait for its next settled round, in order of inclusion.
struct LateList {
    std::vector<Hash256> segments;

    friend bool operator==(const LateList&, const LateList&) = default;
    static auto fields(auto& self) {
        return field_list(bounded<kMaxLateContributions>(self.segments));
    }
};

/// An included segment whose pay has not matured: what a fraud proof is held against.
struct IncludedSegment {
    static constexpr std::size_t kEncodedSize = 89;

    /// What may have been proven against it, as bits of `proven`.
    static constexpr std::uint8_t kFalseUnit = 1;
    static constexpr std::uint8_t kDoubleSegment = 2;

    PublicKey miner;
    Hash256 template_hash;
    std::uint64_t height = 0;  ///< of the block that included it
    std::uint32_t task = 0;
    std::uint32_t units = 0;  ///< K
    std::uint64_t round = 0;
    std::uint8_t proven = 0;  ///< kFalseUnit, kDoubleSegment, both or none

    friend bool operator==(const IncludedSegment&, const IncludedSegment&) = default;
    static auto fields(auto& self) {
        return std::tie(self.miner, self.template_hash, self.height, self.task, self.units,
                        self.round, self.proven);
    }
};

/// A fraud commitment that has not been revealed.
struct FraudCommitment {
    static constexpr std::size_t kEncodedSize = 45;

    Address sender;
    Amount deposit;
    std::uint32_t index = 0;  ///< among the commitments of its block, in the block's order

    friend bool operator==(const FraudCommitment&, const FraudCommitment&) = default;
    static auto fields(auto& self) { return std::tie(self.sender, self.deposit, self.index); }
};

/// A proven fraud. The earliest commitment among those revealed until it closes gets the reward.
struct FraudCase {
    static constexpr std::size_t kEncodedSize = 94;

    Address accused;
    Address owner;                    ///< of the earliest commitment revealed so far
    std::uint64_t commit_height = 0;  ///< of that commitment
    std::uint32_t commit_index = 0;
    Amount reward;
    std::uint64_t closing_height = 0;  ///< at whose start the reward is paid

    friend bool operator==(const FraudCase&, const FraudCase&) = default;
    static auto fields(auto& self) {
        return std::tie(self.accused, self.owner, self.commit_height, self.commit_index,
                        self.reward, self.closing_height);
    }
};

/// What ends at the start of one height: commitments that can't be revealed any more, all of one
/// block, and cases.
struct FraudAgenda {
    /// A block may hold so many commitments: the list is written anew with each.
    static constexpr std::size_t kMaxCommitments = 1024;

    std::vector<Hash256> commitments;  ///< in the block's order, revealed ones among them
    std::vector<Hash256> cases;        ///< subjects

    friend bool operator==(const FraudAgenda&, const FraudAgenda&) = default;
    static auto fields(auto& self) {
        return field_list(bounded<kMaxCommitments>(self.commitments),
                          bounded<kMaxTransactions>(self.cases));
    }
};

/// Sums over the whole chain. Coins held = minted - burnt.
struct Totals {
    static constexpr std::size_t kEncodedSize = 16;

    Amount minted;  ///< all pay ever created, mature or not
    Amount burnt;   ///< destroyed with fraud and unrevealed commitments

    friend bool operator==(const Totals&, const Totals&) = default;
    static auto fields(auto& self) { return std::tie(self.minted, self.burnt); }
};

/// Parameters as bytes: each in 4, little-endian two's complement.
[[nodiscard]] Bytes encode_parameters(std::span<const std::int32_t> parameters);

/// The parameters of an entry; nothing unless the size is a multiple of four.
[[nodiscard]] std::optional<std::vector<std::int32_t>> decode_parameters(ByteSpan bytes);

/// Reads parameters that must exist (a model or a delta).
[[nodiscard]] Result<std::vector<std::int32_t>, StoreError> require_parameters(
    const StateView& view, const StateKey& key);

/// The error for an entry that is damaged or missing where it must be.
[[nodiscard]] StoreError bad_entry(const StateKey& key, std::string_view why);

/// Reads an entry as its type; nothing if there is none.
template <class T>
[[nodiscard]] Result<std::optional<T>, StoreError> read_entry(const StateView& view,
                                                              const StateKey& key) {
    TRY_ASSIGN(const StateValue bytes, view.get(key));
    if (!bytes) return std::nullopt;
    auto value = decode_exact<T>(*bytes);
    if (!value) return fail(bad_entry(key, to_string(value.error())));
    return *std::move(value);
}

/// Reads an entry that must exist.
template <class T>
[[nodiscard]] Result<T, StoreError> require_entry(const StateView& view, const StateKey& key) {
    TRY_ASSIGN(auto value, read_entry<T>(view, key));
    if (!value) return fail(bad_entry(key, "it is missing"));
    return *std::move(value);
}

}  // namespace gradient::chain
