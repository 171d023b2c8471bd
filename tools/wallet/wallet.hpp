#pragma once

#include "chain/crypto/key.hpp"
#include "tools/wallet/passphrase.hpp"
#include "tools/wallet/sealed_key.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradient::wallet {

/// One key of a wallet, as far as it is known without the passphrase.
struct WalletEntry {
    std::string name;
    std::string address;             ///< empty if the file is no good
    std::optional<SealError> error;  ///< why the file is no good

    friend bool operator==(const WalletEntry&, const WalletEntry&) = default;
};

/// A directory of sealed keys, one file NAME.key.json each, mode 0600 in a directory of mode 0700.
///
/// Every function throws node::Failure with a sentence that names the file: usage for a wrong name,
/// a name that is taken or does not exist, and a wrong passphrase; data_directory for a file that
/// is damaged or that others may read; storage if the disk fails.
class Wallet {
  public:
    static constexpr std::string_view kSuffix = ".key.json";
    static constexpr std::size_t kMaxNameLength = 32;

    /// Touches nothing yet; the directory is made with the first key.
    explicit Wallet(std::filesystem::path directory) : directory_(std::move(directory)) {}

    /// Makes a key and stores it under a name that is free, for the network with this prefix of
    /// addresses. A crash leaves the whole file or none.
    WalletEntry create(std::string_view name, const Passphrase& passphrase,
                       std::string_view address_prefix) const;

    /// Stores a key that exists, as create does.
    WalletEntry add(std::string_view name, const chain::SecretKey& key,
                    const Passphrase& passphrase, std::string_view address_prefix) const;

    /// The secret key of that name.
    [[nodiscard]] chain::SecretKey open(std::string_view name, const Passphrase& passphrase) const;

    /// What is known of one key without its passphrase.
    [[nodiscard]] WalletEntry find(std::string_view name) const;

    /// All keys in order of their names; damaged files with their error. No directory, no keys.
    [[nodiscard]] std::vector<WalletEntry> list() const;

    [[nodiscard]] std::filesystem::path file_of(std::string_view name) const;

  private:
    [[nodiscard]] std::string read(const std::filesystem::path& file) const;

    std::filesystem::path directory_;
};

/// Whether a name is 1 to 32 lower-case letters, digits, '-' and '_', and begins with a letter or
/// digit.
[[nodiscard]] bool is_key_name(std::string_view name) noexcept;

}  // namespace gradient::wallet
