#pragma once

#include "chain/base/amount.hpp"
#include "chain/base/bytes.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/crypto/address.hpp"
#include "chain/types/block.hpp"
#include "chain/types/transaction.hpp"
#include "node/rpc/method.hpp"
#include "node/rpc/transaction_service.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace gradient::node {

/// An amount in coins.
[[nodiscard]] inline std::string coins(chain::Amount amount) {
    return amount.to_string();
}

/// An address as text.
[[nodiscard]] std::string address_text(const chain::Address& address);

/// Reads the parameter "address"; throws RpcError(invalid_params).
[[nodiscard]] chain::Address address_param(const RpcParams& params);

/// Reads 64 hexadecimal digits of a parameter; throws RpcError(invalid_params).
[[nodiscard]] chain::Hash256 hash_param(const RpcParams& params, std::string_view name);

/// Reads the parameter "task"; throws RpcError(not_found) for a number that no task can have.
[[nodiscard]] std::uint32_t task_param(const RpcParams& params);

/// The parameters that these read: an account's address, and a task, the genesis task unless given.
[[nodiscard]] RpcParameter address_parameter();
[[nodiscard]] RpcParameter task_parameter();

/// Kind, sender, nonce, fee and what the action says.
[[nodiscard]] boost::json::object transaction_view(const chain::SignedTransaction& transaction);

/// What transaction_view makes, and that of a share: only its kind is always there.
[[nodiscard]] Schema transaction_schema();

/// The same of one in the pool, with its id, position and what keeps it there.
[[nodiscard]] boost::json::object pooled_view(const PooledTransaction& waiting);
[[nodiscard]] Schema pooled_schema();

/// Name of what a transaction does: "transfer", "publish_data", ...
[[nodiscard]] std::string_view action_name(const chain::Action& action);

/// Whether a block commits to no transactions: it needs no reading then.
[[nodiscard]] bool has_no_transactions(const chain::Header& header);

/// The rule's stable name, as it stands in the source.
[[nodiscard]] std::string_view refusal_name(chain::TransactionError error) noexcept;

}  // namespace gradient::node
