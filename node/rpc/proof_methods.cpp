#include "chain/state/entries.hpp"
#include "node/rpc/service_methods.hpp"
#include "node/rpc/transaction_views.hpp"

#include <boost/json.hpp>

#include <functional>

namespace gradient::node {

namespace {

json::value hex_or_null(const chain::StateValue& value) {
    if (!value) return nullptr;
    return json::value(chain::to_hex(*value));
}

json::value leaf_view(const std::optional<chain::StateLeaf>& leaf) {
    if (!leaf) return nullptr;
    return json::object{{"path", leaf->path.to_hex()}, {"value_hash", leaf->value_hash.to_hex()}};
}

// A proof as it goes into a file; tools/cli/proof_file.hpp reads it. `subject` says whose entry it
// is.
json::value proof_view(const TransactionService& service, json::object subject,
                       const chain::StateKey& key) {
    const auto proven = service.prove(key);
    if (!proven) {
        throw RpcError(RpcErrorCode::unavailable,
                       "There is no block yet whose header commits to a state.");
    }
    json::array siblings;
    for (const auto& sibling : proven->proof.siblings) siblings.emplace_back(sibling.to_hex());
    json::object view{{"format", "gradient state proof"}, {"version", 1}};
    view.insert(subject.begin(), subject.end());
    view["entry"] = hex_or_null(proven->value);
    view["siblings"] = std::move(siblings);
    view["leaf"] = leaf_view(proven->proof.leaf);
    view["height"] = proven->header.tmpl.height;
    view["block"] = chain::header_id(proven->header).to_hex();
    view["header"] = chain::to_hex(chain::encode(proven->header));
    return view;
}

Schema proof_schema(const schema::Field& subject) {
    return schema::object({
        {"format", schema::one_of({"gradient state proof"})},
        {"version", schema::whole()},
        {"kind", schema::one_of({"account", "task", "model"})},
        subject,
        {"entry", schema::nullable(schema::hex()), "what the state has; null: nothing"},
        {"siblings", schema::list(schema::hash()), "on the path from the root"},
        {"leaf",
         schema::nullable(
             schema::object({{"path", schema::hash()}, {"value_hash", schema::hash()}})),
         "at the end of the path, whosever it is"},
        {"height", schema::whole(), "of the block whose header commits to the state"},
        {"block", schema::hash()},
        {"header", schema::hex()},
    });
}

void add_task_proof(RpcDispatcher& dispatcher, TransactionService& service, const std::string& kind,
                    const std::string& summary,
                    const std::function<chain::StateKey(std::uint32_t)>& key_of) {
    dispatcher.add({
        .name = "proof_" + kind,
        .summary = summary,
        .permission = RpcPermission::read,
        .parameters = {required("task", schema::whole(), "number of the task")},
        .result = proof_schema({"task", schema::whole()}),
        .errors = {RpcErrorCode::not_found, RpcErrorCode::unavailable},
        .call = [&service, kind, key_of](RpcParams params) -> Task<json::value> {
            TransactionService::Query query = [&service, kind, key_of, task = task_param(params)] {
                return proof_view(service, {{"kind", kind}, {"task", task}}, key_of(task));
            };
            co_return co_await service.on_strand(std::move(query));
        },
    });
}

}  // namespace

void add_proof_methods(RpcDispatcher& dispatcher, TransactionService& service) {
    dispatcher.add({
        .name = "proof_account",
        .summary = "Shows against the tip's header what an account had before that block.",
        .permission = RpcPermission::read,
        .parameters = {address_parameter()},
        .result = proof_schema({"address", schema::address()}),
        .errors = {RpcErrorCode::unavailable},
        .call = [&service](RpcParams params) -> Task<json::value> {
            TransactionService::Query query = [&service, address = address_param(params)] {
                return proof_view(service,
                                  {{"kind", "account"}, {"address", address_text(address)}},
                                  chain::account_key(address));
            };
            co_return co_await service.on_strand(std::move(query));
        },
    });
    add_task_proof(dispatcher, service, "task",
                   "Shows against the tip's header a task's record before that block.",
                   chain::task_key);
    add_task_proof(dispatcher, service, "model",
                   "Shows against the tip's header a task's parameters before that block.",
                   chain::model_key);
}

}  // namespace gradient::node
