#include "tools/wallet/wallet.hpp"

#include "node/setup/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gradient::wallet {

namespace {

constexpr std::size_t kMaxFileBytes = 4096;
constexpr ::mode_t kFileMode = 0600;
constexpr ::mode_t kOthers = 077;

node::Failure refuse(node::ExitCode code, const std::filesystem::path& file, std::string_view why) {
    return {code, fmt::format("Wallet key {}: {}.", file.string(), why)};
}

node::ExitCode exit_code_of(SealError error) noexcept {
    switch (error) {
        case SealError::wrong_passphrase:
            return node::ExitCode::usage;
        case SealError::damaged:
        case SealError::unknown_version:
        case SealError::unsafe_cost:
        case SealError::wrong_address:
            return node::ExitCode::data_directory;
        case SealError::no_randomness:
        case SealError::no_memory:
            return node::ExitCode::failure;
    }
    return node::ExitCode::failure;
}

void make_directory(const std::filesystem::path& directory) {
    std::error_code error;
    if (std::filesystem::is_directory(directory, error)) return;
    std::filesystem::create_directories(directory, error);
    if (!error) {
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
    }
    if (error) {
        throw node::Failure(
            node::ExitCode::storage,
            fmt::format("Cannot create the wallet {}: {}.", directory.string(), error.message()));
    }
}

void sync_directory(const std::filesystem::path& directory) {
    const node::FileDescriptor folder(
        ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.is_open()) static_cast<void>(::fsync(folder.get()));
}

/// Writes a file that must not exist yet: the whole of it appears at once, and never over another.
/// The draft carries the process id, so that two programs do not share one.
void write_new_file(const std::filesystem::path& file, std::string_view content) {
    auto draft = file;
    draft += fmt::format(".{}", ::getpid());
    node::write_file_atomically(draft, content, kFileMode);
    const bool linked = ::link(draft.c_str(), file.c_str()) == 0;
    const int error = errno;
    const std::string why = node::system_error_text();
    static_cast<void>(::unlink(draft.c_str()));
    if (linked) return sync_directory(file.parent_path());
    if (error == EEXIST) {
        throw refuse(node::ExitCode::usage, file, "there is a key of that name already");
    }
    throw refuse(node::ExitCode::storage, file, why);
}

}  // namespace

bool is_key_name(std::string_view name) noexcept {
    const auto is_alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= Wallet::kMaxNameLength &&
           is_alphanumeric(name.front()) && std::ranges::all_of(name, [&](char c) {
               return is_alphanumeric(c) || c == '-' || c == '_';
           });
}

std::filesystem::path Wallet::file_of(std::string_view name) const {
    if (!is_key_name(name)) {
        throw node::Failure(node::ExitCode::usage,
                            "A key's name has 1 to 32 lower-case letters, digits, '-' and '_', "
                            "and begins with a letter or digit.");
    }
    return directory_ / fmt::format("{}{}", name, kSuffix);
}

std::string Wallet::read(const std::filesystem::path& file) const {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0 && errno == ENOENT) {
        throw refuse(node::ExitCode::usage, file, "there is no key of that name");
    }
    if ((status.st_mode & kOthers) != 0) {
        throw refuse(node::ExitCode::data_directory, file,
                     fmt::format("others may read it; run `chmod 600 {}`", file.string()));
    }
    return node::read_file(file, kMaxFileBytes, node::ExitCode::data_directory);
}

WalletEntry Wallet::create(std::string_view name, const Passphrase& passphrase,
                           std::string_view address_prefix) const {
    const auto key = chain::SecretKey::generate();
    if (!key) {
        throw node::Failure(node::ExitCode::failure,
                            std::string(to_string(SealError::no_randomness)));
    }
    return add(name, *key, passphrase, address_prefix);
}

WalletEntry Wallet::add(std::string_view name, const chain::SecretKey& key,
                        const Passphrase& passphrase, std::string_view address_prefix) const {
    const auto file = file_of(name);
    const auto sealed = seal(key, passphrase.text(), address_prefix);
    if (!sealed) throw refuse(exit_code_of(sealed.error()), file, to_string(sealed.error()));
    make_directory(directory_);
    write_new_file(file, to_json(*sealed));
    return {std::string(name), sealed->address, std::nullopt};
}

chain::SecretKey Wallet::open(std::string_view name, const Passphrase& passphrase) const {
    const auto file = file_of(name);
    auto key = parse_sealed_key(read(file)).and_then([&](const SealedKey& sealed) {
        return wallet::open(sealed, passphrase.text());
    });
    if (!key) throw refuse(exit_code_of(key.error()), file, to_string(key.error()));
    return *std::move(key);
}

WalletEntry Wallet::find(std::string_view name) const {
    const auto sealed = parse_sealed_key(read(file_of(name)));
    if (!sealed) return {std::string(name), "", sealed.error()};
    return {std::string(name), sealed->address, std::nullopt};
}

std::vector<WalletEntry> Wallet::list() const {
    std::vector<WalletEntry> entries;
    std::error_code error;
    if (!std::filesystem::exists(directory_, error)) return entries;
    for (const auto& file : std::filesystem::directory_iterator(directory_)) {
        const std::string name = file.path().filename().string();
        if (!name.ends_with(kSuffix)) continue;
        const auto stem = std::string_view(name).substr(0, name.size() - kSuffix.size());
        if (is_key_name(stem)) entries.push_back(find(stem));
    }
    std::ranges::sort(entries, {}, &WalletEntry::name);
    return entries;
}

}  // namespace gradient::wallet
