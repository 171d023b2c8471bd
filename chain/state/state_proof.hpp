#pragma once

// The state root: a compact sparse Merkle tree (chain/SPEC.md, "State root").
//
//   path        H("gradient/state/key", key)      256 bits, the first bit of byte 0 first
//   value hash  H("gradient/state/value", value)
//   leaf        H("gradient/state/leaf", path, value hash)
//   branch      H("gradient/state/branch", left, right)
//
// A subtree without entries hashes to 32 zero bytes, one with a single entry to its leaf, wherever
// it stands; any other is a branch: bit d of the path, d the depth, sends an entry left (0) or
// right (1).

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gradient::chain {

/// Depth of the deepest leaf.
inline constexpr std::size_t kMaxTreeDepth = 256;

[[nodiscard]] Hash256 state_path(ByteSpan key) noexcept;
[[nodiscard]] Hash256 state_value_hash(ByteSpan value) noexcept;
[[nodiscard]] Hash256 state_leaf_hash(const Hash256& path, const Hash256& value_hash) noexcept;
[[nodiscard]] Hash256 state_branch_hash(const Hash256& left, const Hash256& right) noexcept;

/// Bit number `depth` of a path. Precondition: depth < 256.
[[nodiscard]] bool path_bit(const Hash256& path, std::size_t depth) noexcept;

/// Length of the common beginning of two paths, in bits.
[[nodiscard]] std::size_t common_bits(const Hash256& a, const Hash256& b) noexcept;

/// An entry as the tree sees it.
struct StateLeaf {
    static constexpr std::size_t kEncodedSize = 64;

    Hash256 path;
    Hash256 value_hash;

    friend bool operator==(const StateLeaf&, const StateLeaf&) = default;
    static auto fields(auto& self) { return std::tie(self.path, self.value_hash); }
};

/// Shows what the tree with a known root holds under one key: the siblings from the root down to
/// where the key's path ends, and the leaf that stands there, if any.
struct StateProof {
    std::vector<Hash256> siblings;
    std::optional<StateLeaf> leaf;

    friend bool operator==(const StateProof&, const StateProof&) = default;
    static auto fields(auto& self) {
        return field_list(bounded<kMaxTreeDepth>(self.siblings), self.leaf);
    }
};

/// Why a proof proves nothing.
enum class StateProofError : std::uint8_t {
    wrong_root,   // the proof leads to another root
    wrong_path,   // its leaf does not stand where the key's path ends
    no_entry,     // there is no such entry, and one was claimed
    has_entry,    // there is an entry, and none was claimed
    wrong_value,  // the entry has another value
};

/// One sentence for the error.
[[nodiscard]] std::string_view to_string(StateProofError error) noexcept;

/// The hash of the value under `key` in the state with this root, nothing if the proof shows that
/// there is no such entry.
[[nodiscard]] Result<std::optional<Hash256>, StateProofError> read_proof(const Hash256& root,
                                                                         ByteSpan key,
                                                                         const StateProof& proof);

/// Checks that the state with this root has exactly this value under the key.
[[nodiscard]] Result<void, StateProofError> verify_inclusion(const Hash256& root, ByteSpan key,
                                                             ByteSpan value,
                                                             const StateProof& proof);

/// Checks that the state with this root has no entry under the key.
[[nodiscard]] Result<void, StateProofError> verify_exclusion(const Hash256& root, ByteSpan key,
                                                             const StateProof& proof);

}  // namespace gradient::chain
