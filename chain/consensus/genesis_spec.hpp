#pragma once

// A network's chain spec (chain/SPEC.md, "Genesis"): everything on which its nodes must agree
// before the first block. Kept as a JSON file; what counts is its digest, over the canonical
// encoding of every field with the data's root in place of the data.

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/params.hpp"
#include "chain/types/task.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gradient::chain {

/// Version of the file's layout. Never renumber.
inline constexpr std::uint32_t kChainSpecVersion = 1;

/// Characters of a network's name.
inline constexpr std::size_t kMaxNetworkNameBytes = 64;

/// Bytes of a chain-spec file: the largest text in base64, and room for the rest.
inline constexpr std::size_t kMaxChainSpecBytes = 24U << 20U;

/// What fixes a network.
struct ChainSpec {
    std::string name;              ///< for people: letters, digits, '-', '_', '.', 1..64 of them
    std::uint32_t network_id = 1;  ///< tells networks apart on the wire; not 0
    ConsensusParams params;        ///< the anchor holds the genesis time and the first target
    AttentionShape model;          ///< of the genesis task
    Bytes text;                    ///< that the genesis task learns

    friend bool operator==(const ChainSpec&, const ChainSpec&) = default;
};

/// Why a chain spec can't be used: one sentence that names the field.
struct SpecError {
    std::string message;
};

/// The spec of a new network with default parameters that learns `text`: the usual model, the given
/// name, genesis time and first target. The network id is drawn from all of them. Not yet checked.
[[nodiscard]] ChainSpec default_chain_spec(std::string name, Bytes text, std::uint64_t time_ms,
                                           std::uint32_t bits);

/// Commitment to every field and to the text.
[[nodiscard]] Hash256 spec_digest(const ChainSpec& spec);

/// The genesis task: never ends, pays by emission alone, starts from parameters drawn from the
/// spec's digest.
[[nodiscard]] TaskRecord genesis_task(const ChainSpec& spec);

/// Whether a network can start from the spec: ranges of all parameters, model and text together.
[[nodiscard]] Result<void, SpecError> check_chain_spec(const ChainSpec& spec);

/// The spec as a JSON file's contents.
[[nodiscard]] std::string to_json(const ChainSpec& spec);

/// The spec that a file's contents hold, checked. Refuses unknown and missing fields,
/// numbers out of range, another version, and data that do not match their digest.
[[nodiscard]] Result<ChainSpec, SpecError> parse_chain_spec(std::string_view json);

/// The same for a file; the message names it.
[[nodiscard]] Result<ChainSpec, SpecError> load_chain_spec(const std::string& path);

}  // namespace gradient::chain
