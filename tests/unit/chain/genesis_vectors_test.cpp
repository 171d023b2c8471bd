// The genesis block against the vector that a second implementation wrote from chain/SPEC.md
// (tests/reference/check_genesis.py).

#include "chain/base/mmr.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/network.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace gradient::chain {
namespace {

namespace json = boost::json;

TEST(GenesisVector, genesis_is_what_the_second_implementation_derives) {
    std::ifstream file(std::string(GRADIENT_SOURCE_DIR) + "/tests/vectors/genesis.json");
    std::stringstream text;
    text << file.rdbuf();
    const json::value vector = json::parse(text.str());
    auto spec = parse_chain_spec(json::serialize(vector.at("spec")));
    ASSERT_TRUE(spec) << spec.error().message;
    const auto network = make_network(*std::move(spec));
    ASSERT_TRUE(network) << network.error().message;
    const Genesis& genesis = (*network)->genesis;
    const Template& tmpl = genesis.header.tmpl;
    const auto expected = [&](std::string_view name) {
        return std::string(vector.at("expect").at(name).as_string());
    };
    EXPECT_EQ(tmpl.parent.to_hex(), expected("spec_digest"));
    EXPECT_EQ((*network)->task->record.data_root.to_hex(), expected("data_root"));
    EXPECT_EQ((*network)->task->record.initial_seed.to_hex(), expected("initial_seed"));
    EXPECT_EQ(tmpl.state_root.to_hex(), expected("state_root"));
    EXPECT_EQ(genesis.state_root.to_hex(), expected("state_root"));
    EXPECT_EQ(tmpl.history_root.to_hex(), expected("history_root"));
    EXPECT_EQ(genesis.id.to_hex(), expected("id"));
    MmrPeaks history;
    ASSERT_TRUE(history.append({genesis.id, 0, tmpl.time_ms, U256(), block_work(tmpl.bits)}));
    EXPECT_EQ(history.root().to_hex(), expected("history_root_of_children"));
}

}  // namespace
}  // namespace gradient::chain
