#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_tree.hpp"
#include "node/rpc/json_rpc.hpp"
#include "node/rpc/service_methods.hpp"
#include "node/rpc/transaction_views.hpp"
#include "tests/support/memory_state.hpp"
#include "tests/support/memory_tree.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <map>

namespace gradient::node {
namespace {

using chain::Amount;
using chain::Hash256;

chain::SecretKey key_of(std::uint8_t byte) {
    std::array<std::uint8_t, chain::SecretKey::kSeedSize> seed{};
    seed.fill(byte);
    return chain::SecretKey::from_seed(seed);
}
chain::Address address_of(std::uint8_t byte) {
    return chain::address_of(key_of(byte).public_key());
}
json::string text_of(std::uint8_t byte) {
    return json::string(address_text(address_of(byte)));
}
json::string hex_of(const Hash256& hash) {
    return json::string(hash.to_hex());
}

/// A chain and a pool of plain data; waiting adds the blocks that are to come.
class FakeService final : public TransactionService {
  public:
    FakeService() {
        consensus.maturity_blocks = 3;
        add_block(1, {});
    }

    void add_block(std::uint8_t miner, std::vector<chain::Transaction> transactions) {
        chain::Block block;
        block.header.tmpl.height = blocks.size() + 1;
        block.header.tmpl.miner = key_of(miner).public_key();
        block.header.tmpl.transaction_root = chain::transaction_root(transactions);
        block.transactions = std::move(transactions);
        blocks.push_back(std::move(block));
    }
    template <class T>
    void put(const chain::StateKey& key, const T& value) {
        chain::State overlay(after_tip);
        overlay.put(key, value);
        after_tip.apply(*overlay.diff());
    }

    Task<boost::json::value> on_strand(Query query) override { co_return query(); }
    Task<bool> wait_for_height(std::uint64_t wanted, Event::Deadline) override {
        if (height() < wanted && !coming.empty()) {
            const auto next = coming.front();
            coming.erase(coming.begin());
            for (const auto& each : next.transactions) waiting.erase(chain::transaction_id(each));
            add_block(1, next.transactions);
        }
        co_return height() >= wanted;
    }
    Task<SubmitOutcome> submit(
        std::shared_ptr<const chain::SignedTransaction> transaction) override {
        const auto id = chain::transaction_id(*transaction);
        if (transaction->fee.is_zero()) co_return SubmitOutcome{id, "fee_too_low", "Too low."};
        waiting[id] = {transaction, id, waiting.size() + 1, ""};
        co_return SubmitOutcome{id, "", ""};
    }

    const chain::ConsensusParams& params() const override { return consensus; }
    std::uint32_t network_id() const override { return 5; }
    Hash256 genesis() const override { return {}; }
    std::uint64_t height() const override { return blocks.size(); }
    const chain::StateView& state() const override { return after_tip; }
    std::optional<chain::Header> header_at(std::uint64_t at) const override {
        if (at == 0 || at > blocks.size()) return std::nullopt;
        return blocks[at - 1].header;
    }
    std::optional<chain::Block> block_at(std::uint64_t at) const override {
        if (at == 0 || at > blocks.size()) return std::nullopt;
        ++bodies_read;
        return blocks[at - 1];
    }
    std::optional<std::uint64_t> height_of(const Hash256& transaction) const override {
        for (std::uint64_t at = blocks.size(); at > 0; --at) {
            for (const auto& each : blocks[at - 1].transactions)
                if (chain::transaction_id(each) == transaction) return at;
        }
        return std::nullopt;
    }
    std::optional<chain::BlockStub> stub_at(std::uint64_t at) const override {
        if (at == 0 || at > blocks.size()) return std::nullopt;
        return chain::stub_of(blocks[at - 1]);
    }
    std::optional<ProvenEntry> prove(const chain::StateKey& key) const override {
        chain::State overlay(nothing);
        for (const auto& [each, value] : after_tip.entries())
            overlay.set(each, std::make_shared<const chain::Bytes>(value));
        const chain::MemoryTree empty;
        chain::StateTree tree(empty);
        EXPECT_TRUE(tree.apply(*overlay.diff()));
        ProvenEntry proven{blocks.back().header, after_tip.get(key).value(),
                           tree.prove(key).value()};
        proven.header.tmpl.state_root = tree.root().value();
        return proven;
    }
    std::optional<model::Evaluation> held_out(std::uint32_t) const override { return std::nullopt; }
    std::vector<PooledTransaction> pooled_of(const chain::Address& sender) const override {
        std::vector<PooledTransaction> found;
        for (const auto& [id, each] : waiting) {
            if (chain::address_of(each.transaction->sender) == sender) found.push_back(each);
        }
        return found;
    }
    std::optional<PooledTransaction> pooled(const Hash256& id) const override {
        const auto found = waiting.find(id);
        return found == waiting.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<GoneTransaction> gone(const Hash256& id) const override {
        const auto found = dropped.find(id);
        return found == dropped.end() ? std::nullopt : std::optional(found->second);
    }

    chain::ConsensusParams consensus;
    std::vector<chain::Block> blocks;  // heights from 1 on
    std::vector<chain::Block> coming;
    chain::MemoryState after_tip;
    chain::EmptyState nothing;
    std::map<Hash256, PooledTransaction> waiting;
    std::map<Hash256, GoneTransaction> dropped;
    mutable int bodies_read = 0;
};

chain::SignedTransaction transaction(std::uint8_t from, std::uint64_t nonce, chain::Action action,
                                     Amount fee = Amount::of_units(1)) {
    chain::SignedTransaction made;
    made.network_id = 5;
    made.sender = key_of(from).public_key();
    made.nonce = nonce;
    made.fee = fee;
    made.action = std::move(action);
    return made;
}
chain::Transfer transfer(std::uint8_t to, std::uint64_t units) {
    return {address_of(to), *Amount::from_units(units)};
}

class RpcService : public testing::Test {
  protected:
    RpcService() {
        add_account_methods(dispatcher_, service_);
        add_transaction_methods(dispatcher_, service_);
        add_task_methods(dispatcher_, service_);
        add_proof_methods(dispatcher_, service_);
    }

    json::object call(const std::string& method, json::object params) {
        const json::object request{
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}};
        asio::io_context context;
        auto answer =
            asio::co_spawn(context,
                           dispatcher_.handle(json::serialize(request),
                                              {"tester", RpcPermission::control, nullptr}),
                           asio::use_future);
        context.run();
        return json::parse(answer.get().value()).as_object();
    }
    json::object result(const std::string& method, json::object params) {
        auto answer = call(method, std::move(params));
        EXPECT_TRUE(answer.contains("result")) << json::serialize(answer);
        return answer.contains("result") ? answer.at("result").as_object() : json::object{};
    }
    std::int64_t error(const std::string& method, json::object params) {
        const auto answer = call(method, std::move(params));
        EXPECT_TRUE(answer.contains("error")) << json::serialize(answer);
        return answer.contains("error") ? answer.at("error").at("code").as_int64() : 0;
    }

    FakeService service_;
    RpcDispatcher dispatcher_;
};

TEST_F(RpcService, an_account_has_balance_nonces_and_maturing_pay) {
    service_.put(chain::account_key(address_of(1)), chain::Account{Amount::of_coins(3), 4});
    service_.put(chain::maturing_pay_key(3),
                 chain::MaturingPay{{{address_of(1), Amount::of_units(5), {}},
                                     {address_of(2), Amount::of_units(6), {}},
                                     {address_of(1), Amount::of_units(7), {}}}});
    for (const std::uint64_t nonce : {4U, 5U, 9U}) {
        const auto made = transaction(1, nonce, transfer(2, 1));
        const auto id = chain::transaction_id(made);
        service_.waiting[id] = {std::make_shared<chain::SignedTransaction>(made), id, nonce, "fee"};
    }
    const auto shown = result("account_show", {{"address", text_of(1)}});
    EXPECT_EQ(shown.at("balance"), "3");
    EXPECT_EQ(shown.at("nonce"), 4);
    EXPECT_EQ(shown.at("maturing_total"), "0.00000012");
    EXPECT_EQ(shown.at("maturing").at(0).at("height"), 3);
    ASSERT_EQ(shown.at("pooled").as_array().size(), 3U);
    EXPECT_EQ(shown.at("pooled").at(0).at("skipped"), "fee");
    EXPECT_EQ(result("account_show", {{"address", text_of(9)}}).at("balance"), "0");
    EXPECT_EQ(error("account_show", {{"address", "grad1nonsense"}}), -32602);
}

TEST_F(RpcService, a_history_goes_down_the_chain) {
    service_.add_block(2,
                       {{transaction(1, 0, transfer(3, 10))}, {transaction(3, 0, transfer(1, 4))}});
    service_.add_block(3, {{transaction(3, 1, transfer(2, 1))}});
    service_.put(chain::maturing_pay_key(4),
                 chain::MaturingPay{{{address_of(1), Amount::of_units(5), {}}}});
    const auto history = result("account_history", {{"address", text_of(1)}});
    const auto& entries = history.at("entries").as_array();
    ASSERT_EQ(entries.size(), 3U) << json::serialize(history);
    EXPECT_EQ(entries[0].at("kind"), "transfer");
    EXPECT_EQ(entries[0].at("from"), text_of(3));
    EXPECT_EQ(entries[0].at("height"), 2);
    EXPECT_EQ(entries[1].at("to"), text_of(3));
    EXPECT_EQ(entries[2].at("kind"), "pay");
    EXPECT_EQ(entries[2].at("height"), 1);
    EXPECT_EQ(entries[2].at("mined_block"), true);
    EXPECT_EQ(entries[2].at("amount"), "0.00000005");
    EXPECT_EQ(
        result("account_history", {{"address", text_of(1)}, {"count", 1}}).at("lowest_height"), 2);
    EXPECT_EQ(error("account_history", {{"address", text_of(1)}, {"count", 501}}), -32602);
}

TEST_F(RpcService, a_transaction_is_handed_in_or_refused_by_name) {
    const auto hex = [](const chain::Transaction& each) {
        return chain::to_hex(chain::encode(each));
    };
    const auto good = transaction(1, 0, transfer(2, 10));
    const auto answer = result("transaction_submit", {{"transaction", hex({good})}});
    EXPECT_EQ(answer.at("accepted"), true);
    EXPECT_EQ(answer.at("id"), hex_of(chain::transaction_id(good)));
    const auto shown = result("transaction_show", {{"id", chain::transaction_id(good).to_hex()}});
    EXPECT_EQ(shown.at("status"), "pooled");
    EXPECT_EQ(shown.at("position"), 1);
    EXPECT_EQ(shown.at("transaction").at("amount"), "0.0000001");

    const auto poor = transaction(1, 1, transfer(2, 10), Amount());
    const auto refused = result("transaction_submit", {{"transaction", hex({poor})}});
    EXPECT_EQ(refused.at("accepted"), false);
    EXPECT_EQ(refused.at("refusal"), "fee_too_low");
    for (const std::string& wrong : {std::string("0"), std::string("zz"), std::string(""),
                                     hex({good}) + "00", hex({chain::ShareTransaction{}})})
        EXPECT_EQ(error("transaction_submit", {{"transaction", wrong}}), -32602) << wrong;
}

TEST_F(RpcService, a_transaction_is_found_where_it_is) {
    const auto made = transaction(1, 0, transfer(2, 10));
    const auto id = chain::transaction_id(made);
    EXPECT_EQ(error("transaction_show", {{"id", id.to_hex()}}), -32001);
    service_.dropped[id] = {"expired", "It waited too long."};
    EXPECT_EQ(result("transaction_show", {{"id", id.to_hex()}}).at("reason"), "expired");
    service_.add_block(1, {{made}});
    service_.add_block(1, {});
    const auto shown = result("transaction_show", {{"id", id.to_hex()}});
    EXPECT_EQ(shown.at("status"), "included");
    EXPECT_EQ(shown.at("height"), 2);
    EXPECT_EQ(shown.at("confirmations"), 2);
    EXPECT_EQ(error("transaction_show", {{"id", "00"}}), -32602);
}

TEST_F(RpcService, waits_for_confirmations) {
    const auto made = transaction(1, 0, transfer(2, 10));
    const auto id = chain::transaction_id(made);
    service_.waiting[id] = {std::make_shared<chain::SignedTransaction>(made), id, 1, ""};
    const auto wait = [&](std::uint64_t confirmations) {
        return result(
            "transaction_wait",
            {{"id", id.to_hex()}, {"confirmations", confirmations}, {"timeout_ms", 1000}});
    };
    EXPECT_EQ(wait(1).at("ready"), false);
    service_.coming.resize(3);
    service_.coming[1].transactions = {{made}};
    const auto ready = wait(2);
    EXPECT_EQ(ready.at("ready"), true);
    EXPECT_EQ(ready.at("height"), 3);
    EXPECT_EQ(ready.at("confirmations"), 2);
    EXPECT_EQ(wait(3).at("ready"), false);
    service_.blocks.resize(2);
    service_.dropped[id] = {"nonce_used", "Its nonce is used."};
    EXPECT_EQ(wait(1).at("ready"), false);
    EXPECT_EQ(wait(1).at("status"), "gone");
}

TEST_F(RpcService, the_search_ends_somewhere) {
    service_.add_block(1, {{transaction(1, 0, transfer(2, 10))}});
    const json::object params{{"address", text_of(2)}};
    while (service_.height() < 2 + kMaxSearchBlocks - 1) service_.add_block(1, {});
    EXPECT_EQ(result("account_history", params).at("entries").as_array().size(), 1U);
    EXPECT_EQ(result("account_history", params).at("lowest_height"), 2);
    service_.add_block(1, {});
    EXPECT_EQ(result("account_history", params).at("entries").as_array().size(), 0U);
    EXPECT_EQ(result("account_history", params).at("lowest_height"), 3);
}

TEST_F(RpcService, old_transactions_are_found_without_reading_bodies) {
    const auto made = transaction(1, 0, transfer(2, 10));
    service_.add_block(1, {{made}});
    for (std::uint64_t i = 0; i < 5'000; ++i) service_.add_block(1, {});
    service_.bodies_read = 0;
    const json::object params{{"id", chain::transaction_id(made).to_hex()}};
    EXPECT_EQ(result("transaction_show", params).at("confirmations"), 5'001);
    EXPECT_EQ(error("transaction_show", {{"id", Hash256{}.to_hex()}}), -32001);
    EXPECT_EQ(service_.bodies_read, 0);
}

TEST_F(RpcService, chunks_are_known_or_not) {
    Hash256 known;
    known.bytes.fill(9);
    service_.put(chain::data_chunk_key(known), std::uint8_t{1});
    const auto answer = result("chunk_known", {{"ids", known.to_hex() + " " + Hash256{}.to_hex()}});
    EXPECT_EQ(answer.at("known"), json::value(json::array{true, false}));
    EXPECT_EQ(error("chunk_known", {{"ids", "x"}}), -32602);
}

TEST_F(RpcService, tasks_are_listed_shown_and_numbered) {
    const auto add_task = [&](std::uint32_t id, std::uint64_t created, chain::TaskStatus status) {
        chain::TaskRecord record;
        record.id = id;
        service_.put(chain::task_key(id), record);
        chain::TaskAccount account{address_of(1), Amount::of_coins(2), {}, status, created, 0};
        if (status != chain::TaskStatus::active) account.ended_height = 7;
        service_.put(chain::task_account_key(id), account);
    };
    service_.put(chain::task_key(0), chain::TaskRecord{});
    add_task(1, 1, chain::TaskStatus::cancelled);
    add_task(2, 2, chain::TaskStatus::active);
    add_task(3, 2, chain::TaskStatus::completed);
    service_.put(chain::task_list_key(), chain::TaskList{4, {2}, {3}});
    const auto ids = [](const json::object& list) {
        std::string text;
        for (const auto& task : list.at("tasks").as_array())
            text += std::to_string(task.at("task").to_number<int>());
        return text;
    };
    EXPECT_EQ(ids(result("task_list", {})), "023");
    EXPECT_EQ(ids(result("task_list", {{"all", true}})), "0123");

    const auto shown = result("task_show", {{"task", 3}});
    EXPECT_EQ(shown.at("status"), "completed");
    EXPECT_EQ(shown.at("owner"), text_of(1));
    EXPECT_EQ(shown.at("escrow"), "2");
    EXPECT_EQ(shown.at("refund_height"), 7 + chain::kRefundDelay);
    EXPECT_FALSE(result("task_show", {}).contains("owner"));
    EXPECT_EQ(error("task_show", {{"task", 4}}), -32001);
    EXPECT_EQ(error("task_show", {{"task", std::uint64_t{1} << 40}}), -32001);

    const auto first = transaction(1, 0, chain::CreateTask{});
    const auto second = transaction(1, 1, chain::CreateTask{});
    service_.add_block(1, {{first}, {transaction(2, 0, transfer(1, 1))}, {second}});
    const auto task_of = [&](const auto& made) {
        return result("transaction_show", {{"id", chain::transaction_id(made).to_hex()}})
            .at("task");
    };
    EXPECT_EQ(task_of(first), 2);
    EXPECT_EQ(task_of(second), 3);
}

TEST_F(RpcService, a_proof_leads_to_the_headers_root) {
    const chain::Account account{Amount::of_coins(3), 4};
    service_.put(chain::account_key(address_of(1)), account);
    service_.put(chain::account_key(address_of(2)), account);
    const auto view = result("proof_account", {{"address", text_of(1)}});
    const auto header =
        chain::decode_exact<chain::Header>(*chain::from_hex(view.at("header").as_string()));
    ASSERT_TRUE(header);
    chain::StateProof proof;
    for (const auto& each : view.at("siblings").as_array())
        proof.siblings.push_back(*Hash256::from_hex(each.as_string()));
    proof.leaf = {*Hash256::from_hex(view.at("leaf").at("path").as_string()),
                  *Hash256::from_hex(view.at("leaf").at("value_hash").as_string())};
    EXPECT_EQ(view.at("entry"), json::string(chain::to_hex(chain::encode(account))));
    EXPECT_TRUE(chain::verify_inclusion(header->tmpl.state_root, chain::account_key(address_of(1)),
                                        chain::encode(account), proof));
    EXPECT_TRUE(result("proof_account", {{"address", text_of(5)}}).at("entry").is_null());
    EXPECT_TRUE(result("proof_task", {{"task", 5}}).at("entry").is_null());
    EXPECT_TRUE(result("proof_model", {{"task", 5}}).at("entry").is_null());
}

}  // namespace
}  // namespace gradient::node
