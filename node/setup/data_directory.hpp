#pragma once

#include "node/setup/files.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gradient::node {

/// A node's directory, locked for this process while the object lives.
///
///     lock           flock(2); holds the owner's process id
///     format         version of this layout
///     chain.json     the chain spec the directory was made with
///     chain/         the database
///     miner.key      secret key that signs blocks, mode 0600
///     node.key       secret key of the node's identity among its peers, mode 0600
///     addresses.json where other nodes take connections, and the last ones that this one called
///     snapshots/     files that newcomers fetch, made anew in each run
///     history/       a second chain: what a snapshot took on trust is being verified there
///     history_verified  it has been: id of the snapshot's block
///     bans.json      whom the node has no dealings with for a time
///     fraud_proofs   proofs on their way into the chain and the salts of their commitments, 0600
///     mempool.journal  transactions that were acknowledged, mode 0600
///     .cookie        this run's RPC credentials, mode 0600
///     rpc_endpoint   this run's RPC address, e.g. 127.0.0.1:9420
///     peer_endpoint  this run's address for peers, e.g. 0.0.0.0:9421
///     gradient.conf  settings, if the user wrote any
class DataDirectory {
  public:
    /// Layout version; a directory of another version is refused.
    static constexpr std::string_view kFormat = "1";
    /// Largest chain spec read: a text of the largest size in hexadecimal and some metadata.
    static constexpr std::size_t kMaxChainSpecBytes = 48U << 20U;

    /// Creates the directory if needed (mode 0700) and locks it. Throws Failure(data_directory)
    /// with a sentence that names the directory, the reason and the remedy.
    [[nodiscard]] static DataDirectory open(const std::filesystem::path& path);

    /// The same for a reader of a directory that a node has made: creates nothing but takes the
    /// lock.
    [[nodiscard]] static DataDirectory open_existing(const std::filesystem::path& path);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::filesystem::path chain_spec() const { return path_ / "chain.json"; }
    [[nodiscard]] std::filesystem::path database() const { return path_ / "chain"; }
    [[nodiscard]] std::filesystem::path fraud_proofs() const { return path_ / "fraud_proofs"; }
    [[nodiscard]] std::filesystem::path mempool_journal() const {
        return path_ / "mempool.journal";
    }
    [[nodiscard]] std::filesystem::path miner_key() const { return path_ / "miner.key"; }
    [[nodiscard]] std::filesystem::path node_key() const { return path_ / "node.key"; }
    [[nodiscard]] std::filesystem::path addresses() const { return path_ / "addresses.json"; }
    [[nodiscard]] std::filesystem::path bans() const { return path_ / "bans.json"; }
    [[nodiscard]] std::filesystem::path history() const { return path_ / "history"; }
    [[nodiscard]] std::filesystem::path history_verified() const {
        return path_ / "history_verified";
    }
    [[nodiscard]] std::filesystem::path snapshots() const { return path_ / "snapshots"; }

    /// The stored chain spec's text, if the directory has one.
    [[nodiscard]] std::optional<std::string> stored_chain_spec() const;

  private:
    static DataDirectory take(const std::filesystem::path& path);

    DataDirectory(std::filesystem::path path, FileDescriptor lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}

    std::filesystem::path path_;
    FileDescriptor lock_;
};

/// Where a node leaves word of how to reach it; for clients, which hold no lock.
[[nodiscard]] std::filesystem::path cookie_file(const std::filesystem::path& data_directory);
[[nodiscard]] std::filesystem::path endpoint_file(const std::filesystem::path& data_directory);
/// The certificate with which the RPC speaks TLS, if it does.
[[nodiscard]] std::filesystem::path rpc_certificate_file(
    const std::filesystem::path& data_directory);
[[nodiscard]] std::filesystem::path peer_endpoint_file(const std::filesystem::path& data_directory);

/// $HOME/.gradient, or ./.gradient without a home.
[[nodiscard]] std::filesystem::path default_data_directory();

}  // namespace gradient::node
