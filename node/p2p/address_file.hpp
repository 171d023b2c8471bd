#pragma once

#include "chain/base/result.hpp"
#include "node/p2p/address_book.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace gradient::node {

/// What a node knows of where others are, as kept between its runs.
struct StoredAddresses {
    AddressBook book;
    std::vector<Endpoint> anchors;  ///< outbound peers of the last run, to be dialled first
};

/// The addresses of a file; an empty book with `new_salt` if there is no such file. The error is a
/// sentence that names the file. `seed`: see AddressBook.
[[nodiscard]] chain::Result<StoredAddresses, std::string> load_addresses(
    const std::filesystem::path& file, const chain::Hash256& new_salt, const chain::Hash256& seed,
    UnixSeconds now);

/// Replaces the file in one step. Throws Failure(storage).
void save_addresses(const std::filesystem::path& file, const AddressBook& book,
                    const std::vector<Endpoint>& anchors);

}  // namespace gradient::node
