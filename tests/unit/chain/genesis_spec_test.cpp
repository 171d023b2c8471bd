#include "chain/consensus/genesis_spec.hpp"

#include "chain/consensus/genesis_base64.hpp"
#include "chain/network.hpp"
#include "chain/state/entries.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_network.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace gradient::chain {
namespace {

// The spec's file with the first occurrence of some text replaced.
std::string edited(const std::string& from, const std::string& to) {
    std::string json = to_json(test::tiny_spec());
    const std::size_t at = json.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return json.replace(at, from.size(), to);
}

void refuses(const std::string& json, const std::vector<std::string>& words) {
    const auto parsed = parse_chain_spec(json);
    ASSERT_FALSE(parsed) << words.front();
    for (const std::string& word : words) {
        EXPECT_NE(parsed.error().message.find(word), std::string::npos) << parsed.error().message;
    }
    EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
}

TEST(ChainSpecFile, comes_back_as_written) {
    const ChainSpec spec = test::tiny_spec();
    const auto parsed = parse_chain_spec(to_json(spec));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, spec);
    EXPECT_EQ(to_json(*parsed), to_json(spec));
}

TEST(ChainSpecFile, refuses_what_is_no_json_or_no_object) {
    refuses("", {"no JSON"});
    refuses("{\"version\": 1", {"no JSON"});
    refuses("[]", {"must be an object"});
    refuses(std::string(kMaxChainSpecBytes + 1, ' '), {"too large"});
}

TEST(ChainSpecFile, refuses_another_version_before_anything_else) {
    refuses("{\"version\": 2, \"whatever\": 0}", {"version", "2"});
    refuses("{\"name\": \"x\"}", {"version", "missing"});
}

TEST(ChainSpecFile, names_the_field_that_is_missing_or_unknown) {
    refuses(edited("\"interval_ms\": 1000,", ""), {"params.interval_ms", "missing"});
    refuses(edited("\"interval_ms\":", "\"interval\": 1, \"interval_ms\":"),
            {"params.interval", "unknown"});
    refuses(edited("\"rows\": 32,", ""), {"model.rows", "missing"});
    refuses(edited("\"name\":", "\"nick\": 1, \"name\":"), {"nick", "unknown"});
    refuses(edited("\"data\":", "\"date\":"), {"data", "missing"});
}

TEST(ChainSpecFile, names_the_field_of_the_wrong_type_or_range) {
    refuses(edited("\"interval_ms\": 1000", "\"interval_ms\": \"1000\""),
            {"params.interval_ms", "integer"});
    refuses(edited("\"interval_ms\": 1000", "\"interval_ms\": -1"),
            {"params.interval_ms", "integer from 0"});
    refuses(edited("\"interval_ms\": 1000", "\"interval_ms\": 1.5"), {"params.interval_ms"});
    refuses(edited("\"interval_ms\": 1000", "\"interval_ms\": 1"), {"params", "interval"});
    refuses(edited("\"rows\": 32", "\"rows\": 70000"), {"model.rows", "65535"});
    refuses(edited("\"rows\": 32", "\"rows\": 33"), {"model", "16"});
    refuses(edited("\"width\": 128", "\"width\": 64"), {"model"});
    refuses(edited("\"block_reward\": \"10\"", "\"block_reward\": 10"),
            {"params.block_reward", "string"});
    refuses(edited("\"block_reward\": \"10\"", "\"block_reward\": \"ten\""),
            {"params.block_reward", "coins"});
    refuses(edited("\"max_bits\": \"207fffff\"", "\"max_bits\": \"207fff\""),
            {"params.max_bits", "hexadecimal"});
    refuses(edited("\"name\": \"tiny\"", "\"name\": \"ti ny\""), {"name"});
    refuses(edited("\"name\": \"tiny\"", "\"name\": \"\""), {"name"});
    refuses(edited("\"network_id\": ", "\"network_id\": 4294967296"), {"network_id"});
    refuses(edited("\"params\": {", "\"params\": 5, \"was\": {"), {"unknown"});
}

TEST(ChainSpecFile, refuses_data_that_do_not_match_their_digest) {
    const std::string base64 = to_base64(test::tiny_text());
    std::string altered = base64;
    altered[50] = altered[50] == 'A' ? 'B' : 'A';
    refuses(edited(base64, altered), {"data.root", "damaged"});
    refuses(edited(base64, base64.substr(0, base64.size() - 4)), {"data.bytes"});
    refuses(edited(base64, base64.substr(1)), {"data.base64"});
    refuses(edited("\"format\": \"text\"", "\"format\": \"csv\""), {"data.format"});
}

TEST(ChainSpecFile, refuses_segments_too_small_for_a_lane) {
    ChainSpec spec = test::tiny_spec();
    const std::size_t parameters = model::parameter_count(to_model(spec.model));
    const std::size_t least = 224 + 64 + 15 + std::size_t{32} * spec.params.work.max_units +
                              4 * (49 + max_delta_bytes(parameters));
    spec.params.work.max_segment_bytes = static_cast<std::uint32_t>(least);
    EXPECT_TRUE(check_chain_spec(spec));
    spec.params.work.max_segment_bytes -= 1;
    const auto checked = check_chain_spec(spec);
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().message.find("max_segment_bytes"), std::string::npos);
}

TEST(ChainSpecFile, refuses_texts_too_short_or_too_long) {
    ChainSpec spec = test::tiny_spec();
    spec.text.resize(100);
    refuses(to_json(spec), {"data", "100 bytes"});
    spec.text.assign(kMaxDataBytes + 1, 'x');
    const auto checked = check_chain_spec(spec);
    ASSERT_FALSE(checked);
    EXPECT_NE(checked.error().message.find("16777216"), std::string::npos);
}

TEST(ChainSpecFile, missing_file_is_named) {
    const auto loaded = load_chain_spec("/no/such/file.json");
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message.find("/no/such/file.json"), std::string::npos);
}

TEST(ChainSpecFile, loads_from_disk) {
    const TemporaryDirectory directory;
    const std::string path = (directory.path() / "chain.json").string();
    std::ofstream(path) << to_json(test::tiny_spec());
    const auto loaded = load_chain_spec(path);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(*loaded, test::tiny_spec());
}

TEST(ChainSpecDigest, covers_every_field) {
    const ChainSpec base = test::tiny_spec();
    std::set<Hash256> digests{spec_digest(base)};
    const auto differs = [&](const auto& change) {
        ChainSpec spec = base;
        change(spec);
        EXPECT_TRUE(digests.insert(spec_digest(spec)).second);
    };
    differs([](ChainSpec& s) { s.name = "tinz"; });
    differs([](ChainSpec& s) { s.network_id += 1; });
    differs([](ChainSpec& s) { s.text[0] ^= 1; });
    differs([](ChainSpec& s) { s.text.push_back('x'); });
    differs([](ChainSpec& s) { s.model.rows += 16; });
    differs([](ChainSpec& s) { s.model.x_init += 1; });
    differs([](ChainSpec& s) { s.params.interval_ms += 1; });
    differs([](ChainSpec& s) { s.params.half_life_ms += 1; });
    differs([](ChainSpec& s) { s.params.max_bits -= 1; });
    differs([](ChainSpec& s) { s.params.max_future_ms += 1; });
    differs([](ChainSpec& s) { s.params.anchor.time_ms += 1; });
    differs([](ChainSpec& s) { s.params.anchor.bits += 1; });
    differs([](ChainSpec& s) { s.params.work.max_units -= 1; });
    differs([](ChainSpec& s) { s.params.work.max_hits -= 1; });
    differs([](ChainSpec& s) { s.params.work.hits_per_win += 1; });
    differs([](ChainSpec& s) { s.params.work.units_per_hit += 1; });
    differs([](ChainSpec& s) { s.params.work.guards += 1; });
    differs([](ChainSpec& s) { s.params.work.max_segment_bytes -= 1; });
    differs([](ChainSpec& s) { s.params.max_block_bytes -= 1; });
    differs([](ChainSpec& s) { s.params.block_reward = Amount::of_units(1); });
    differs([](ChainSpec& s) { s.params.hit_reward = Amount::of_units(1); });
    differs([](ChainSpec& s) { s.params.halving_blocks += 1; });
    differs([](ChainSpec& s) { s.params.full_pay_units += 1; });
    differs([](ChainSpec& s) { s.params.maturity_blocks += 1; });
}

TEST(ChainSpecDigest, default_spec_draws_a_network_id_of_its_own) {
    Bytes other = test::tiny_text();
    other[5] ^= 1;
    const ChainSpec one = default_chain_spec("a", test::tiny_text(), 1, 0x207fffff);
    EXPECT_NE(one.network_id, default_chain_spec("b", test::tiny_text(), 1, 0x207fffff).network_id);
    EXPECT_NE(one.network_id, default_chain_spec("a", other, 1, 0x207fffff).network_id);
    EXPECT_NE(one.network_id, default_chain_spec("a", test::tiny_text(), 2, 0x207fffff).network_id);
}

TEST(Genesis, is_the_same_every_time_and_commits_to_the_spec) {
    const ChainSpec spec = test::tiny_spec();
    const Genesis genesis = make_genesis(spec);
    EXPECT_EQ(make_genesis(spec).id, genesis.id);
    EXPECT_EQ(genesis.header.tmpl.parent, spec_digest(spec));
    ChainSpec other = spec;
    other.text[7] ^= 1;
    EXPECT_NE(make_genesis(other).id, genesis.id);
    EXPECT_NE(genesis_task(other).initial_seed, genesis_task(spec).initial_seed);
}

TEST(Genesis, state_holds_the_task_and_its_initial_model) {
    const auto network = test::tiny_network();
    const EmptyState nothing;
    const OverlayView state(nothing, network->genesis.state);
    EXPECT_EQ(*require_entry<TaskRecord>(state, task_key(kGenesisTask)), network->task->record);
    EXPECT_EQ(*require_parameters(state, model_key(kGenesisTask)),
              initial_parameters(network->task->record));
    EXPECT_EQ(require_entry<Totals>(state, totals_key())->minted, Amount());
    EXPECT_EQ(network->genesis.state.writes.size(), 5U);
}

TEST(Base64, follows_the_vectors_of_rfc_4648) {
    const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : vectors) {
        EXPECT_EQ(to_base64(as_bytes(plain)), coded);
        const auto decoded = from_base64(coded);
        ASSERT_TRUE(decoded) << coded;
        EXPECT_EQ(as_text(*decoded), plain);
    }
}

TEST(Base64, refuses_other_spellings) {
    for (const char* text : {"Zg=", "Zg", "Zh==", "Zm9=", "Zg==Zg==", "=Zg=", "====", "Z===",
                             "Zm 9", "Zm9v\n", "Zm-_"}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

}  // namespace
}  // namespace gradient::chain
