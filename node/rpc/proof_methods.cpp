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

void add_task_proof(RpcDispatcher& dispatcher, TransactionService& service, const std::string& kind,
                    const std::string& summary,
                    const std::function<chain::StateKey(std::uint32_t)>& key_of) {
    dispatcher.add(
        {"proof_" + kind,
         summary,
         {{"task", RpcType::integer, true, "number of the task"}},
         [&service, kind, key_of](RpcParams params) -> Task<json::value> {
             TransactionService::Query query = [&service, kind, key_of, task = task_param(params)] {
                 return proof_view(service, {{"kind", kind}, {"task", task}}, key_of(task));
             };
             co_return co_await service.on_strand(std::move(query));
         }});
}

}  // namespace

void add_proof_methods(RpcDispatcher& dispatcher, TransactionService& service) {
    dispatcher.add({"proof_account",
                    "Shows against the tip's header what an account had before that block.",
                    {{"address", RpcType::text, true, "address of the account"}},
                    [&service](RpcParams params) -> Task<json::value> {
                        TransactionService::Query query = [&service,
                                                           address = address_param(params)] {
                            return proof_view(
                                service, {{"kind", "account"}, {"address", address_text(address)}},
                                chain::account_key(address));
                        };
                        co_return co_await service.on_strand(std::move(query));
                    }});
    add_task_proof(dispatcher, service, "task",
                   "Shows against the tip's header a task's record before that block.",
                   chain::task_key);
    add_task_proof(dispatcher, service, "model",
                   "Shows against the tip's header a task's parameters before that block.",
                   chain::model_key);
}

}  // namespace gradient::node
