#include "tools/cli/proof_file.hpp"

#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_tree.hpp"
#include "tests/support/memory_tree.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <functional>

namespace gradient::cli {
namespace {

namespace json = boost::json;

chain::Address address_of(std::uint8_t byte) {
    chain::Address address;
    address.hash.bytes.fill(byte);
    return address;
}

/// A state with a few entries, and proofs as a node writes them.
class ProofFiles : public ::testing::Test {
  protected:
    ProofFiles() {
        const chain::EmptyState nothing;
        chain::State state(nothing);
        for (std::uint8_t i = 1; i <= 20; ++i)
            state.put(chain::account_key(address_of(i)), account_);
        state.put(chain::task_key(3), task_);
        state.set(chain::model_key(3),
                  std::make_shared<const chain::Bytes>(chain::encode_parameters({{1, -2, 3}})));
        const auto diff = state.diff();
        chain::StateTree tree(store_);
        EXPECT_TRUE(tree.apply(*diff));
        header_.tmpl.state_root = tree.root().value();
        header_.tmpl.height = 42;
        store_.store(tree.changes());
    }

    json::object proof_of(json::object subject, const chain::StateKey& key,
                          const std::optional<chain::Bytes>& entry) const {
        chain::StateTree tree(store_);
        const auto proof = tree.prove(key).value();
        json::array siblings;
        for (const auto& sibling : proof.siblings) siblings.emplace_back(sibling.to_hex());
        json::object view = std::move(subject);
        view["format"] = "gradient state proof";
        view["version"] = 1;
        view["entry"] = entry ? json::value(json::string(chain::to_hex(*entry))) : nullptr;
        view["siblings"] = std::move(siblings);
        view["leaf"] = nullptr;
        if (proof.leaf) {
            view["leaf"] = {{"path", proof.leaf->path.to_hex()},
                            {"value_hash", proof.leaf->value_hash.to_hex()}};
        }
        view["header"] = chain::to_hex(chain::encode(header_));
        return view;
    }

    json::object account_proof(std::uint8_t byte,
                               const std::optional<chain::Account>& account) const {
        const auto address = chain::to_text(address_of(byte), chain::kDefaultAddressPrefix);
        return proof_of({{"kind", "account"}, {"address", address}},
                        chain::account_key(address_of(byte)),
                        account ? std::optional(chain::encode(*account)) : std::nullopt);
    }

    chain::Account account_{chain::Amount::of_units(1234567890), 8};
    chain::TaskRecord task_ = [] {
        chain::TaskRecord task;
        task.id = 3;
        task.unit_budget = 99;
        return task;
    }();
    chain::Header header_;
    chain::MemoryTree store_;
};

ProofFile read(const json::object& proof) {
    auto file = parse_proof(json::serialize(proof));
    EXPECT_TRUE(file) << (file ? "" : file.error());
    return file.value_or(ProofFile{});
}

TEST_F(ProofFiles, an_account_is_proved_and_told) {
    const auto file = read(account_proof(7, account_));
    EXPECT_TRUE(check_proof(file, header_));
    const auto fact = describe_proof(file, header_);
    ASSERT_TRUE(fact);
    EXPECT_EQ(fact->result.at("balance"), "12.3456789");
    EXPECT_EQ(fact->result.at("nonce"), 8);
    EXPECT_EQ(fact->result.at("height"), 42);
    EXPECT_NE(fact->text.find("12.3456789"), std::string::npos);
}

TEST_F(ProofFiles, an_account_that_is_not_there_is_proved_too) {
    const auto file = read(account_proof(99, std::nullopt));
    EXPECT_TRUE(check_proof(file, header_));
    EXPECT_EQ(describe_proof(file, header_)->result.at("exists"), false);
    EXPECT_FALSE(check_proof(read(account_proof(7, std::nullopt)), header_));
    EXPECT_FALSE(check_proof(read(account_proof(99, account_)), header_));
}

TEST_F(ProofFiles, a_task_and_a_model_are_proved) {
    const auto task =
        read(proof_of({{"kind", "task"}, {"task", 3}}, chain::task_key(3), chain::encode(task_)));
    EXPECT_TRUE(check_proof(task, header_));
    EXPECT_EQ(describe_proof(task, header_)->result.at("unit_budget"), 99);
    const auto model = read(proof_of({{"kind", "model"}, {"task", 3}}, chain::model_key(3),
                                     chain::encode_parameters({{1, -2, 3}})));
    EXPECT_TRUE(check_proof(model, header_));
    EXPECT_EQ(describe_proof(model, header_)->result.at("parameters"), 3);
}

TEST_F(ProofFiles, nothing_holds_that_was_changed) {
    const auto good = account_proof(7, account_);
    auto header = header_;
    header.tmpl.state_root.bytes[0] ^= 1;
    EXPECT_FALSE(check_proof(read(good), header));
    auto richer = account_;
    richer.nonce += 1;
    EXPECT_FALSE(check_proof(read(account_proof(7, richer)), header_));
    auto other = good;
    other["address"] = chain::to_text(address_of(8), chain::kDefaultAddressPrefix);
    EXPECT_FALSE(check_proof(read(other), header_));
    auto cut = good;
    cut["siblings"].as_array().pop_back();
    EXPECT_FALSE(check_proof(read(cut), header_));
    auto bare = good;
    bare["leaf"] = nullptr;
    EXPECT_FALSE(check_proof(read(bare), header_));
}

TEST_F(ProofFiles, an_entry_of_another_kind_is_no_fact) {
    auto file = read(account_proof(7, account_));
    file.entry->push_back(0);
    EXPECT_FALSE(describe_proof(file, header_));
}

TEST_F(ProofFiles, refuses_files_with_wrong_members) {
    const auto good = account_proof(7, account_);
    for (const auto& name :
         {"format", "version", "kind", "address", "entry", "siblings", "leaf", "header"}) {
        for (const json::value& wrong : {json::value("x"), json::value(7), json::value(nullptr),
                                         json::value(json::object{}), json::value({"00"})}) {
            if (wrong.is_null() && (name == std::string("entry") || name == std::string("leaf")))
                continue;
            auto proof = good;
            proof[name] = wrong;
            EXPECT_FALSE(parse_proof(json::serialize(proof))) << name << json::serialize(wrong);
        }
        auto proof = good;
        proof.erase(name);
        EXPECT_FALSE(parse_proof(json::serialize(proof))) << name;
    }
    EXPECT_FALSE(parse_proof("[]"));
    EXPECT_FALSE(parse_proof(std::string(10'000, '[')));
}

}  // namespace
}  // namespace gradient::cli
