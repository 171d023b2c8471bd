#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/crypto/address.hpp"
#include "chain/state/state_proof.hpp"
#include "chain/types/header.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace gradient::cli {

/// Whose entry a proof is about; a key is always made from this, never read.
enum class ProofKind : std::uint8_t { account, task, model };

/// A proof of one entry of the state, as the node's methods proof_account, proof_task and
/// proof_model give it:
///
///   format     "gradient state proof"
///   version    1
///   kind       "account", "task" or "model"
///   address    of an account;  task: number of a task
///   entry      its bytes in hexadecimal, or null: there is none
///   siblings   hashes from the root down
///   leaf       null, or path and value_hash
///   height, block, header   the header that the node proved it against; a check needs one from
///                           elsewhere
struct ProofFile {
    ProofKind kind = ProofKind::account;
    chain::Address address;  ///< of an account
    std::uint32_t task = 0;  ///< of a task or model
    std::optional<chain::Bytes> entry;
    chain::StateProof proof;
    chain::Header header;
};

/// Reads a proof; the error is a sentence without the file's name.
[[nodiscard]] chain::Result<ProofFile, std::string> parse_proof(std::string_view text);

/// Reads a header of 520 hexadecimal digits.
[[nodiscard]] std::optional<chain::Header> parse_header(std::string_view hex);

/// Whether the state that the header commits to has exactly this entry.
[[nodiscard]] chain::Result<void, chain::StateProofError> check_proof(const ProofFile& file,
                                                                      const chain::Header& header);

/// What a good proof shows, as an object and as lines. Nothing if the entry's bytes are not of
/// their kind, which no honest chain has.
struct ProvedFact {
    boost::json::object result;
    std::string text;
};
[[nodiscard]] std::optional<ProvedFact> describe_proof(const ProofFile& file,
                                                       const chain::Header& header);

}  // namespace gradient::cli
