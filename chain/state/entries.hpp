#pragma once

// The entries of the state (chain/SPEC.md, "State"). Key = one kind byte and the fields named;
// numbers in keys are big-endian, so that entries of a kind lie in order. Never renumber.
//
//   1 account       address (33 bytes)        balance amount, nonce u64
//   2 maturing pay  height u64                list of address and amount
//   3 task          task id u32               task record, chain/types/task.hpp
//   4 progress      task id u32               model digest and counters
//   5 model         task id u32               parameters, 4 bytes each
//   6 round         task id u32               version u8, what the unsettled winner's segment was
//   7 round delta   task id u32               its theta_K, coded as the difference from the model
//   8 totals                                  minted amount

#include "chain/base/amount.hpp"
#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/crypto/address.hpp"
#include "chain/state/state_view.hpp"
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
    round = 6,
    round_delta = 7,
    totals = 8,
};

[[nodiscard]] StateKey account_key(const Address& owner);
[[nodiscard]] StateKey maturing_pay_key(std::uint64_t height);
[[nodiscard]] StateKey task_key(std::uint32_t task);
[[nodiscard]] StateKey progress_key(std::uint32_t task);
[[nodiscard]] StateKey model_key(std::uint32_t task);
[[nodiscard]] StateKey round_key(std::uint32_t task);
[[nodiscard]] StateKey round_delta_key(std::uint32_t task);
[[nodiscard]] StateKey totals_key();

/// What an address owns and how many transactions it has sent. Keyed by address, so that whoever
/// pays needs no public key. No entry stands for none of either.
struct Account {
    static constexpr std::size_t kEncodedSize = 16;

    Amount balance;
    std::uint64_t nonce = 0;

    friend bool operator==(const Account&, const Account&) = default;
    static auto fields(auto& self) { return std::tie(self.balance, self.nonce); }
};

/// Pay that one address may spend from some height on.
struct Pay {
    static constexpr std::size_t kEncodedSize = 41;

    Address payee;
    Amount amount;

    friend bool operator==(const Pay&, const Pay&) = default;
    static auto fields(auto& self) { return std::tie(self.payee, self.amount); }
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
    static constexpr std::size_t kEncodedSize = 72;

    Hash256 model_digest;              ///< root(theta), chain/work
    std::uint64_t settled_rounds = 0;  ///< rounds whose step entered the model
    std::uint64_t units_claimed = 0;   ///< sum of K of their segments
    std::uint64_t hits = 0;            ///< sum of their replayed hits
    std::uint64_t segments = 0;        ///< number of their segments
    std::uint64_t last_height = 0;     ///< block whose settlement last changed the model

    friend bool operator==(const TaskProgress&, const TaskProgress&) = default;
    static auto fields(auto& self) {
        return std::tie(self.model_digest, self.settled_rounds, self.units_claimed, self.hits,
                        self.segments, self.last_height);
    }
};

/// Version of the round entry: momentum, medians and the reference model will take the next one.
inline constexpr std::uint8_t kRoundVersion = 1;

/// The winner's segment of a round that the next block settles. Its delta is an entry of its own.
struct PendingRound {
    static constexpr std::size_t kEncodedSize = 89;

    std::uint8_t version = kRoundVersion;
    std::uint64_t height = 0;  ///< of the block that ended the round
    Hash256 segment;           ///< id of the winner's segment
    Hash256 final_digest;      ///< root(theta_K)
    std::uint32_t hits = 0;
    std::uint32_t units = 0;
    std::uint64_t displacement = 0;  ///< chain/state/settlement.hpp

    friend bool operator==(const PendingRound&, const PendingRound&) = default;
    static auto fields(auto& self) {
        return std::tie(self.version, self.height, self.segment, self.final_digest, self.hits,
                        self.units, self.displacement);
    }
};

/// Sums over the whole chain.
struct Totals {
    static constexpr std::size_t kEncodedSize = 8;

    Amount minted;  ///< all pay ever created, mature or not

    friend bool operator==(const Totals&, const Totals&) = default;
    static auto fields(auto& self) { return std::tie(self.minted); }
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
