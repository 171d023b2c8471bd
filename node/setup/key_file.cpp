#include "node/setup/key_file.hpp"

#include "node/setup/files.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <array>

namespace gradient::node {

namespace {

constexpr std::size_t kMaxKeyFileBytes = 256;

chain::SecretKey create_key(const std::filesystem::path& file) {
    auto key = chain::SecretKey::generate();
    if (!key) throw Failure(ExitCode::failure, "The system's random number generator failed.");
    std::string text = chain::to_hex(key->seed()) + "\n";
    try {
        create_file_atomically(file, text, 0600);
    } catch (...) {
        OPENSSL_cleanse(text.data(), text.size());
        throw;
    }
    OPENSSL_cleanse(text.data(), text.size());
    return *std::move(key);
}

}  // namespace

chain::SecretKey load_or_create_key(const std::filesystem::path& file) {
    // A key that is there but cannot be read must not be taken for none: it owns coins.
    if (!path_exists(file)) return create_key(file);
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        throw Failure(
            ExitCode::data_directory,
            fmt::format("Cannot read the key file {}: {}; restore it, or move it away and "
                        "a new key is made.",
                        file.string(), system_error_text()));
    }
    constexpr ::mode_t kOthers = 077;
    if ((status.st_mode & kOthers) != 0) {
        throw Failure(ExitCode::data_directory,
                      fmt::format("Others may read the key file {0}: run `chmod 600 {0}` and make "
                                  "sure that nobody has "
                                  "copied it.",
                                  file.string()));
    }
    std::string text = read_file(file, kMaxKeyFileBytes, ExitCode::data_directory);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    std::array<std::uint8_t, chain::SecretKey::kSeedSize> seed{};
    const bool good = chain::from_hex(text, seed);
    OPENSSL_cleanse(text.data(), text.size());
    if (!good) {
        throw Failure(ExitCode::data_directory,
                      fmt::format("The key file {} does not hold 64 hexadecimal digits: restore it "
                                  "from a copy, or move "
                                  "it away and a new key is made.",
                                  file.string()));
    }
    auto key = chain::SecretKey::from_seed(seed);
    OPENSSL_cleanse(seed.data(), seed.size());
    return key;
}

}  // namespace gradient::node
