#include "node/rpc/transaction_views.hpp"

#include "chain/types/data.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <limits>
#include <variant>

namespace gradient::node {

namespace {

/// Adds what an action says to a transaction's view.
struct ActionWriter {
    json::object& view;

    void operator()(const chain::Transfer& action) const {
        view["to"] = address_text(action.to);
        view["amount"] = coins(action.amount);
    }
    void operator()(const chain::PublishData& action) const {
        view["chunk"] = chain::chunk_id(action.chunk).to_hex();
        view["chunk_bytes"] = action.chunk.size();
    }
    void operator()(const chain::CreateTask& action) const {
        view["data_bytes"] = action.data_bytes;
        view["chunks"] = action.chunks.size();
        view["unit_budget"] = action.unit_budget;
        view["pay_per_hit"] = coins(action.pay_per_hit);
        view["escrow"] = coins(action.escrow);
    }
    void operator()(const chain::FundTask& action) const {
        view["task"] = action.task;
        view["amount"] = coins(action.amount);
    }
    void operator()(const chain::CancelTask& action) const { view["task"] = action.task; }
    void operator()(const chain::CommitFraud& action) const {
        view["commitment"] = action.commitment.to_hex();
    }
    void operator()(const chain::RevealFraud& action) const {
        view["commit_height"] = action.commit_height;
    }
};

struct ActionNamer {
    std::string_view operator()(const chain::Transfer&) const { return "transfer"; }
    std::string_view operator()(const chain::PublishData&) const { return "publish_data"; }
    std::string_view operator()(const chain::CreateTask&) const { return "create_task"; }
    std::string_view operator()(const chain::FundTask&) const { return "fund_task"; }
    std::string_view operator()(const chain::CancelTask&) const { return "cancel_task"; }
    std::string_view operator()(const chain::CommitFraud&) const { return "commit_fraud"; }
    std::string_view operator()(const chain::RevealFraud&) const { return "reveal_fraud"; }
};

}  // namespace

std::string address_text(const chain::Address& address) {
    return chain::to_text(address, chain::kDefaultAddressPrefix);
}

chain::Address address_param(const RpcParams& params) {
    const auto address = chain::parse_address(params.text("address"), chain::kDefaultAddressPrefix);
    if (!address)
        throw invalid_parameter("address",
                                fmt::format("is wrong: {}", chain::to_string(address.error())));
    return *address;
}

chain::Hash256 hash_param(const RpcParams& params, std::string_view name) {
    const auto hash = chain::Hash256::from_hex(params.text(name));
    if (!hash) throw invalid_parameter(name, "must be 64 hexadecimal digits");
    return *hash;
}

std::uint32_t task_param(const RpcParams& params) {
    const std::uint64_t task = params.integer("task");
    if (task > std::numeric_limits<std::uint32_t>::max())
        throw RpcError(RpcErrorCode::not_found, fmt::format("There is no task {}.", task));
    return static_cast<std::uint32_t>(task);
}

RpcParameter address_parameter() {
    return required("address", schema::address(), "address of the account");
}

RpcParameter task_parameter() {
    return optional("task", schema::whole(), "number of the task", chain::kGenesisTask);
}

std::string_view action_name(const chain::Action& action) {
    return std::visit(ActionNamer{}, action);
}

json::object transaction_view(const chain::SignedTransaction& transaction) {
    json::object view{
        {"kind", action_name(transaction.action)},
        {"from", address_text(chain::address_of(transaction.sender))},
        {"nonce", transaction.nonce},
        {"fee", coins(transaction.fee)},
    };
    std::visit(ActionWriter{view}, transaction.action);
    return view;
}

Schema transaction_schema() {
    using schema::sometimes;
    return schema::object({
        {"kind",
         schema::one_of({"transfer", "publish_data", "create_task", "fund_task", "cancel_task",
                         "commit_fraud", "reveal_fraud", "share"}),
         "what it does; which of the other fields there are follows from it"},
        sometimes("from", schema::address()),
        sometimes("nonce", schema::whole()),
        sometimes("fee", schema::coins()),
        sometimes("to", schema::address(), "of a transfer"),
        sometimes("amount", schema::coins(), "of a transfer, or paid into a task"),
        sometimes("chunk", schema::hash(), "id of the data that are published"),
        sometimes("chunk_bytes", schema::whole()),
        sometimes("data_bytes", schema::whole(), "of a new task"),
        sometimes("chunks", schema::whole(), "of a new task's data"),
        sometimes("unit_budget", schema::whole(), "units that the new task trains at most"),
        sometimes("pay_per_hit", schema::coins(), "of a new task"),
        sometimes("escrow", schema::coins(), "of a new task"),
        sometimes("task", schema::whole(), "that is funded or cancelled"),
        sometimes("commitment", schema::hash(), "to an accusation"),
        sometimes("commit_height", schema::whole(), "of the accusation that is shown"),
    });
}

json::object pooled_view(const PooledTransaction& waiting) {
    json::object view{{"id", waiting.id.to_hex()}, {"status", "pooled"}, {"position", nullptr}};
    if (waiting.position) view["position"] = *waiting.position;
    if (!waiting.skipped.empty()) view["skipped"] = waiting.skipped;
    view["transaction"] = transaction_view(*waiting.transaction);
    return view;
}

Schema pooled_schema() {
    return schema::object({
        {"id", schema::hash()},
        {"status", schema::one_of({"pooled"})},
        {"position", schema::nullable(schema::whole()),
         "from 1, in the order in which blocks would take them; null while a nonce before is "
         "missing"},
        schema::sometimes("skipped", schema::text(), "rule that keeps it out of the next block"),
        {"transaction", transaction_schema()},
    });
}

bool has_no_transactions(const chain::Header& header) {
    static const chain::Hash256 kNone = chain::transaction_root({});
    return header.tmpl.transaction_root == kNone;
}

std::string_view refusal_name(chain::TransactionError error) noexcept {
    using Error = chain::TransactionError;
    switch (error) {
        case Error::wrong_network:
            return "wrong_network";
        case Error::bad_signature:
            return "bad_signature";
        case Error::zero_amount:
            return "zero_amount";
        case Error::bad_chunk:
            return "bad_chunk";
        case Error::bad_task_shape:
            return "bad_task_shape";
        case Error::bad_task_data:
            return "bad_task_data";
        case Error::bad_task_terms:
            return "bad_task_terms";
        case Error::amount_overflow:
            return "amount_overflow";
        case Error::bad_commit_height:
            return "bad_commit_height";
        case Error::bad_proof:
            return "bad_proof";
        case Error::fee_too_low:
            return "fee_too_low";
        case Error::insufficient_balance:
            return "insufficient_balance";
        case Error::nonce_gap:
            return "nonce_gap";
        case Error::nonce_used:
            return "nonce_used";
        case Error::chunk_known:
            return "chunk_known";
        case Error::chunk_missing:
            return "chunk_missing";
        case Error::unknown_task:
            return "unknown_task";
        case Error::task_ended:
            return "task_ended";
        case Error::not_task_owner:
            return "not_task_owner";
        case Error::too_many_tasks:
            return "too_many_tasks";
        case Error::too_many_creations:
            return "too_many_creations";
        case Error::data_unfit:
            return "data_unfit";
        case Error::too_many_commitments:
            return "too_many_commitments";
        case Error::commitment_known:
            return "commitment_known";
        case Error::commitment_missing:
            return "commitment_missing";
        case Error::segment_not_immature:
            return "segment_not_immature";
        case Error::replay_agrees:
            return "replay_agrees";
    }
    return "unknown";
}

}  // namespace gradient::node
