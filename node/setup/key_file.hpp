#pragma once

#include "chain/crypto/key.hpp"

#include <filesystem>

namespace gradient::node {

/// The secret key in `file` (64 hexadecimal digits); made and written with mode 0600 if there is no
/// file. Throws Failure(data_directory) if the file is damaged or others may read it.
[[nodiscard]] chain::SecretKey load_or_create_key(const std::filesystem::path& file);

}  // namespace gradient::node
