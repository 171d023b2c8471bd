#include "chain/state/entries.hpp"
#include "node/rpc/service_methods.hpp"
#include "node/rpc/transaction_views.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>

namespace gradient::node {

namespace {

using chain::Hash256;

/// Where a transaction stands in the active chain.
struct Place {
    std::uint64_t height = 0;
    std::size_t index = 0;  ///< among the block's transactions, from 0
    Hash256 block_id;
    chain::BlockStub block;
};

std::optional<Place> find_included(const TransactionService& service, const Hash256& id) {
    const auto height = service.height_of(id);
    if (!height) return std::nullopt;
    const auto header = service.header_at(*height);
    auto block = service.stub_at(*height);
    if (!header || !block) return std::nullopt;
    const auto ids = chain::stub_transaction_ids(*block);
    const auto found = std::ranges::find(ids, id);
    if (found == ids.end()) return std::nullopt;
    return Place{*height, static_cast<std::size_t>(found - ids.begin()), chain::header_id(*header),
                 *std::move(block)};
}

const chain::CreateTask* creation_of(const chain::StubTransaction& transaction) {
    const auto* const signed_one = std::get_if<chain::SignedTransaction>(&transaction.content);
    return signed_one == nullptr ? nullptr : std::get_if<chain::CreateTask>(&signed_one->action);
}

// The number that a block's creation got: tasks are numbered in the order of their creations.
json::value created_task(const TransactionService& service, const Place& place) {
    const auto& all = place.block.transactions;
    std::vector<std::uint32_t> created;  // by this block, the last one first
    const auto list =
        require(chain::read_entry<chain::TaskList>(service.state(), chain::task_list_key()))
            .value_or(chain::TaskList{});
    for (std::uint32_t id = list.next_id; id-- > chain::kGenesisTask + 1;) {
        const auto account = require(
            chain::read_entry<chain::TaskAccount>(service.state(), chain::task_account_key(id)));
        if (account && account->created_height < place.height) break;
        if (account && account->created_height == place.height) created.push_back(id);
    }
    const auto later =
        std::count_if(all.begin() + static_cast<std::ptrdiff_t>(place.index) + 1, all.end(),
                      [](const auto& each) { return creation_of(each) != nullptr; });
    if (static_cast<std::size_t>(later) >= created.size()) return nullptr;
    return created[static_cast<std::size_t>(later)];
}

json::object included_view(const TransactionService& service, const Place& place) {
    const auto& transaction = place.block.transactions[place.index];
    json::object view{{"status", "included"},
                      {"height", place.height},
                      {"block", place.block_id.to_hex()},
                      {"confirmations", service.height() + 1 - place.height}};
    if (const auto* const signed_one = std::get_if<chain::SignedTransaction>(&transaction.content))
        view["transaction"] = transaction_view(*signed_one);
    else
        view["transaction"] = json::object{{"kind", "share"}};
    if (creation_of(transaction) != nullptr) view["task"] = created_task(service, place);
    return view;
}

// A transaction wherever it is.
json::object find_transaction(const TransactionService& service, const Hash256& id) {
    if (const auto waiting = service.pooled(id)) return pooled_view(*waiting);
    if (const auto place = find_included(service, id)) return included_view(service, *place);
    if (const auto gone = service.gone(id))
        return {{"status", "gone"}, {"reason", gone->reason}, {"message", gone->sentence}};
    return {{"status", "unknown"}};
}

Task<json::object> show_transaction(TransactionService& service, Hash256 id) {
    TransactionService::Query find = [&] {
        auto view = find_transaction(service, id);
        view["id"] = id.to_hex();
        return json::value(std::move(view));
    };
    co_return (co_await service.on_strand(std::move(find))).as_object();
}

// Whether waiting longer can't change what the view says.
bool is_settled(const json::object& view, std::uint64_t confirmations) {
    const auto& status = view.at("status");
    if (status == "included")
        return view.at("confirmations").to_number<std::uint64_t>() >= confirmations;
    return status == "gone" || status == "unknown";
}

Task<json::value> wait_for_transaction(TransactionService& service, Hash256 id,
                                       std::uint64_t confirmations, Event::Deadline deadline) {
    for (;;) {
        TransactionService::Query ask_height = [&] { return json::value(service.height()); };
        const auto height = (co_await service.on_strand(ask_height)).to_number<std::uint64_t>();
        auto view = co_await show_transaction(service, id);
        const bool settled = is_settled(view, confirmations);
        const bool included = view.at("status") == "included";
        if (settled || !co_await service.wait_for_height(height + 1, deadline)) {
            view["ready"] = settled && included;
            co_return view;
        }
    }
}

std::shared_ptr<const chain::SignedTransaction> decode_transaction(const std::string& hex) {
    const auto bytes = chain::from_hex(hex);
    if (!bytes)
        throw invalid_parameter("transaction", "must be an even number of hexadecimal digits");
    auto transaction = chain::decode_exact<chain::Transaction>(*bytes);
    if (!transaction)
        throw invalid_parameter("transaction",
                                fmt::format("is wrong: {}", chain::to_string(transaction.error())));
    auto* const signed_one = std::get_if<chain::SignedTransaction>(&transaction->content);
    if (signed_one == nullptr) throw invalid_parameter("transaction", "must be a signed one");
    return std::make_shared<const chain::SignedTransaction>(std::move(*signed_one));
}

Task<json::value> submit_transaction(TransactionService& service, std::string hex) {
    const auto outcome = co_await service.submit(decode_transaction(hex));
    json::object answer{{"id", outcome.id.to_hex()}, {"accepted", outcome.refusal.empty()}};
    if (!outcome.refusal.empty()) {
        answer["refusal"] = outcome.refusal;
        answer["message"] = outcome.sentence;
    }
    co_return answer;
}

std::vector<Hash256> ids_of(const std::string& text) {
    std::istringstream words(text);
    std::vector<Hash256> ids;
    for (std::string word; words >> word;) {
        const auto id = Hash256::from_hex(word);
        if (!id || ids.size() == chain::kMaxDataChunks) {
            throw invalid_parameter(
                "ids", fmt::format("must be at most {} ids of 64 hexadecimal digits, separated by "
                                   "spaces",
                                   chain::kMaxDataChunks));
        }
        ids.push_back(*id);
    }
    return ids;
}

json::value known_chunks(const TransactionService& service, const std::vector<Hash256>& ids) {
    json::array known;
    for (const Hash256& id : ids)
        known.push_back(require(service.state().get(chain::data_chunk_key(id))) != nullptr);
    return json::object{{"known", std::move(known)}};
}

json::value fee_rates(const TransactionService& service) {
    return json::object{{"network_id", service.network_id()},
                        {"genesis", service.genesis().to_hex()},
                        {"byte_fee", coins(service.params().byte_fee)},
                        {"replay_fee", coins(service.params().replay_fee)}};
}

Schema rates_schema() {
    return schema::object({{"network_id", schema::whole()},
                           {"genesis", schema::hash()},
                           {"byte_fee", schema::coins()},
                           {"replay_fee", schema::coins()}});
}

Schema outcome_schema() {
    return schema::object({
        {"id", schema::hash()},
        {"accepted", schema::boolean()},
        schema::sometimes("refusal", schema::text(), "stable name of the rule that refuses it"),
        schema::sometimes("message", schema::text(), "the refusal in words"),
    });
}

/// A transaction wherever it is, with more fields.
Schema place_schema(const std::vector<schema::Field>& more) {
    const auto place = schema::object({
        {"id", schema::hash()},
        {"status", schema::one_of({"pooled", "included", "gone", "unknown"})},
        schema::sometimes("transaction", transaction_schema(), "while pooled or included"),
        schema::sometimes("position", schema::nullable(schema::whole()), "while pooled, from 1"),
        schema::sometimes("skipped", schema::text(), "rule that keeps it out of the next block"),
        schema::sometimes("height", schema::whole(), "once included"),
        schema::sometimes("block", schema::hash(), "once included"),
        schema::sometimes("confirmations", schema::whole(), "blocks from its own up"),
        schema::sometimes("task", schema::nullable(schema::whole()), "number of the task it made"),
        schema::sometimes("reason", schema::text(), "why it is gone, a stable name"),
        schema::sometimes("message", schema::text(), "the same in words"),
    });
    return schema::merged(place, schema::object(more));
}

void add_submission_methods(RpcDispatcher& dispatcher, TransactionService& service) {
    dispatcher.add({
        .name = "fee_rates",
        .summary = "What a transaction costs at least, and what it is signed for: coins for each "
                   "byte and each unit replayed, network and genesis.",
        .permission = RpcPermission::read,
        .result = rates_schema(),
        .call = [&service](RpcParams) -> Task<json::value> {
            TransactionService::Query query = [&service] { return fee_rates(service); };
            co_return co_await service.on_strand(std::move(query));
        },
    });
    dispatcher.add({
        .name = "transaction_submit",
        .summary = "Hands a signed transaction in; tells its id, or which rule refuses it.",
        .permission = RpcPermission::submit,
        .parameters = {required("transaction", schema::hex(), "its encoding in hexadecimal")},
        .result = outcome_schema(),
        .call = [&service](RpcParams params) -> Task<json::value> {
            return submit_transaction(service, params.text("transaction"));
        },
    });
    dispatcher.add({
        .name = "chunk_known",
        .summary = "Which chunks of data are on the chain.",
        .permission = RpcPermission::read,
        .parameters = {required("ids", schema::text(),
                                "at most 256 ids of 64 hexadecimal digits, separated by spaces")},
        .result = schema::object({{"known", schema::list(schema::boolean()), "in their order"}}),
        .call = [&service](RpcParams params) -> Task<json::value> {
            TransactionService::Query query = [&service, ids = ids_of(params.text("ids"))] {
                return known_chunks(service, ids);
            };
            co_return co_await service.on_strand(std::move(query));
        },
    });
}

}  // namespace

void add_transaction_methods(RpcDispatcher& dispatcher, TransactionService& service) {
    add_submission_methods(dispatcher, service);
    const RpcParameter id = required("id", schema::hash(), "id of the transaction");
    dispatcher.add({
        .name = "transaction_show",
        .summary = "A transaction in the pool or on the active chain, or why it went.",
        .permission = RpcPermission::read,
        .parameters = {id},
        .result = place_schema({}),
        .errors = {RpcErrorCode::not_found},
        .call = [&service](RpcParams params) -> Task<json::value> {
            auto view = co_await show_transaction(service, hash_param(params, "id"));
            if (view.at("status") == "unknown") {
                throw RpcError(RpcErrorCode::not_found,
                               "There is no such transaction in the pool or on the active chain.");
            }
            co_return view;
        },
    });
    constexpr std::uint64_t kMaxConfirmations = 1'000;
    dispatcher.add({
        .name = "transaction_wait",
        .summary = "Waits until a transaction is included under that many blocks, its own "
                   "counted, or can't be any more.",
        .permission = RpcPermission::read,
        .parameters = {id,
                       required("confirmations", schema::whole(1, kMaxConfirmations),
                                "blocks from its own up"),
                       required("timeout_ms", schema::whole(0, kMaxTransactionWaitMs),
                                "longest time to wait, in milliseconds")},
        .result = place_schema({{"ready", schema::boolean(), "whether it is confirmed so often"}}),
        .call = [&service](RpcParams params) -> Task<json::value> {
            co_return co_await wait_for_transaction(
                service, hash_param(params, "id"), params.integer("confirmations"),
                std::chrono::steady_clock::now() +
                    std::chrono::milliseconds(params.integer("timeout_ms")));
        },
    });
}

}  // namespace gradient::node
