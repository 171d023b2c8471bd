#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/types/fraud.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace gradient::node {

/// A fraud proof on its way into the chain. Its salt is what gets the deposit back: it is stored
/// before its commitment is sent.
struct StoredProof {
    chain::Hash256 subject;    ///< id of the false segment
    std::uint64_t height = 0;  ///< of the block that included it
    chain::Hash256 salt;
    chain::FalseUnitProof proof;

    friend bool operator==(const StoredProof&, const StoredProof&) = default;
    static auto fields(auto& self) {
        return std::tie(self.subject, self.height, self.salt, self.proof);
    }
};

/// Proofs on their way at a time.
inline constexpr std::size_t kMaxStoredProofs = 64;

/// The proofs of a file; none if it is missing. Throws Failure(data_directory) with a sentence that
/// names the file and the remedy if it is damaged.
[[nodiscard]] std::vector<StoredProof> read_proofs(const std::filesystem::path& file);

/// Replaces the file in one step, mode 0600. Throws Failure(storage).
void write_proofs(const std::filesystem::path& file, const std::vector<StoredProof>& proofs);

}  // namespace gradient::node
