#pragma once

#include "chain/base/amount.hpp"
#include "chain/consensus/params.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/transaction.hpp"
#include "node/rpc/client.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/signing.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace gradient::cli {

/// Whose account a command acts for.
struct SenderOptions {
    std::string from = "default";  ///< name of the wallet's key
    std::optional<std::filesystem::path> passphrase_file;
    std::optional<std::string> fee;  ///< coins for each transaction, instead of the least
};

/// Adds --from, --passphrase-file and --fee.
void add_sender_options(CLI::App& command, SenderOptions& options);

/// A transaction that the node's pool has taken.
struct Sent {
    chain::Hash256 id;
    chain::Amount fee;
    std::string refusal;  ///< empty, but for a refusal that the caller has allowed
};

/// A key of the wallet and the node that takes its transactions, in order of nonces. Every function
/// throws node::Failure or node::RpcFailure.
class Sender {
  public:
    /// Asks the node first, and only then for the passphrase.
    Sender(const CommonOptions& common, const SenderOptions& options);

    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    [[nodiscard]] node::RpcClient& client() noexcept { return client_; }

    /// What a transaction with this action will cost: the fee given, or the least one.
    [[nodiscard]] chain::Amount fee_of(const chain::Action& action) const;

    /// Signs with the next nonce and hands in. A refusal of the name `allowed` is told in the
    /// result, any other thrown.
    Sent send(chain::Action action, std::string_view allowed = {});

  private:
    node::RpcClient client_;
    SigningNetwork network_;
    chain::ConsensusParams rates_;  ///< byte_fee and replay_fee are the network's, no other member
    std::optional<chain::Amount> fee_;
    std::string address_;
    std::uint64_t next_nonce_ = 0;
    std::optional<chain::SecretKey> key_;
};

/// Waits until a transaction has that many confirmations; gives what the node tells of it. Throws
/// node::Failure(failure) if it can't be included any more, or after `limit`.
boost::json::object wait_for_transaction(
    node::RpcClient& client, const chain::Hash256& id, std::uint64_t confirmations,
    std::chrono::milliseconds limit = std::chrono::milliseconds::max());

/// Shows in text mode what is about to be paid, before it is.
void show_fee(const CommonOptions& common, chain::Amount fee);

}  // namespace gradient::cli
