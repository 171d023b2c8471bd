#include "node/audit/proof_file.hpp"

#include "node/setup/files.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace gradient::node {

namespace {

// Larger than any file that write_proofs makes: a proof is a transaction of at most 1 MiB.
constexpr std::size_t kMaxFileBytes = (kMaxStoredProofs + 1) << 20U;

struct ProofList {
    std::vector<StoredProof> proofs;
    static auto fields(auto& self) {
        return chain::field_list(chain::bounded<kMaxStoredProofs>(self.proofs));
    }
};

}  // namespace

std::vector<StoredProof> read_proofs(const std::filesystem::path& file) {
    if (!path_exists(file)) return {};
    const std::string text = read_file(file, kMaxFileBytes, ExitCode::data_directory);
    auto list = chain::decode_exact<ProofList>(chain::as_bytes(text));
    if (!list) {
        throw Failure(
            ExitCode::data_directory,
            fmt::format("{} is damaged: remove it to go on without the fraud proofs in it, "
                        "whose deposits may then be lost.",
                        file.string()));
    }
    return std::move(list->proofs);
}

void write_proofs(const std::filesystem::path& file, const std::vector<StoredProof>& proofs) {
    const chain::Bytes bytes = chain::encode(ProofList{proofs});
    write_file_atomically(file, std::string(bytes.begin(), bytes.end()), 0600);
}

}  // namespace gradient::node
