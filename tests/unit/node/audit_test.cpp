#include "node/audit/audit_service.hpp"
#include "node/setup/files.hpp"
#include "tests/support/audited_chain.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace gradient::node {
namespace {

constexpr std::uint8_t kAuditor = 1;
constexpr std::uint8_t kOther = 2;
constexpr std::uint8_t kLiar = 9;
constexpr std::uint32_t kMaturity = 12;

// Segments of some dozen units, whose pay matures after as many blocks as an accusation takes.
std::shared_ptr<const chain::Network> audited_network() {
    auto spec = test::tiny_spec(6);
    spec.params.maturity_blocks = kMaturity;
    auto network = chain::make_network(std::move(spec));
    CHECK(network);
    return *std::move(network);
}

// Claims the state of unit 3 without training it.
bool invent_third_unit(std::uint32_t unit, test::ClaimedState& state) {
    if (unit != 3) return false;
    state.parameters[5] += 1 << 16;
    state.gradient = test::hash_of(0x5a);
    return true;
}

class Audit : public testing::Test {
  protected:
    Audit() { spdlog::set_level(spdlog::level::off); }

    using Options = test::AuditedChain::Options;

    // Until the auditor's first pay can be spent.
    static void mine_honestly(test::AuditedChain& chain, std::uint64_t height = kMaturity + 2) {
        while (chain.height() < height) chain.mine_block({{kAuditor, {}}, {kLiar, {}}});
    }
    // Until the chain holds a segment with a lie that nobody can see from its openings.
    static test::HandedIn mine_a_lie(test::AuditedChain& chain) {
        for (;;) {
            const auto handed = chain.mine_block({{kAuditor, {}}, {kLiar, invent_third_unit}});
            for (const auto& one : handed) {
                if (one.lies == 0) continue;
                // A share is in the next block.
                if (&one != &handed.front()) chain.mine_block({{kAuditor, {}}});
                return one;
            }
        }
    }
    static AuditQueue::Random seeded(std::uint64_t seed) {
        auto engine = std::make_shared<std::mt19937_64>(seed);
        return [engine](std::uint64_t bound) { return (*engine)() % bound; };
    }
};

TEST_F(Audit, finds_a_liars_segment_and_brings_the_proof_into_the_chain) {
    test::AuditedChain chain(audited_network(), Options{});
    mine_honestly(chain);
    EXPECT_GE(chain.balance(kAuditor), chain::Amount::of_coins(2).units());
    EXPECT_GT(chain.immature(kLiar), 0U);
    const auto lie = mine_a_lie(chain);
    EXPECT_GE(chain.status().proofs, 1U);
    const std::uint64_t limit = chain.height() + 8;
    while (chain.status().accusations.revealed == 0) {
        ASSERT_LT(chain.height(), limit);
        chain.mine_block({{kAuditor, {}}, {kLiar, {}}});
    }
    EXPECT_EQ(chain.immature(kLiar), chain.last_pay(kLiar));
    EXPECT_FALSE(chain.totals().burnt.is_zero());
    const auto opened = chain.entry<chain::FraudCase>(chain::fraud_case_key(lie.id));
    EXPECT_EQ(opened.owner, chain.address(kAuditor));
    EXPECT_EQ(opened.accused, chain.address(kLiar));
    EXPECT_EQ(chain.status().accusations.open_cases, 1U);
    while (chain.height() <= opened.closing_height) chain.mine_block({{kAuditor, {}}});
    EXPECT_EQ(chain.status().accusations.open_cases, 0U);
    EXPECT_TRUE(read_proofs(chain.proof_file()).empty());
}

TEST_F(Audit, passes_honest_segments_of_others_and_leaves_its_own_alone) {
    test::AuditedChain chain(audited_network(), Options{});
    for (int i = 0; i < 10; ++i) {
        chain.mine_block({{kAuditor, {}}, {kOther, {}}, {kLiar, {}}});
    }
    std::uint64_t others = 0;
    std::uint64_t units = 0;
    for (const auto& segment : chain.segments()) {
        if (segment.tmpl().miner == test::tiny_key(kAuditor).public_key()) continue;
        ++others;
        units += segment.body().units();
    }
    EXPECT_GE(others, 5U);
    EXPECT_LT(others, chain.segments().size());
    const auto status = chain.status();
    EXPECT_EQ(status.segments, others);
    EXPECT_EQ(status.units, units);
    EXPECT_EQ(status.proofs, 0U);
    EXPECT_EQ(status.dropped, 0U);
}

TEST_F(Audit, audits_nothing_twice) {
    test::AuditedChain chain(audited_network(), Options{});
    for (int i = 0; i < 5; ++i) chain.mine_block({{kAuditor, {}}, {kOther, {}}});
    const auto audited = chain.status().segments;
    EXPECT_GT(audited, 0U);
    chain.audits().take(chain.height(), chain.segments());
    chain.audits().tip_changed();
    chain.settle();
    EXPECT_EQ(chain.status().segments, audited);
}

TEST_F(Audit, audits_nothing_when_it_is_off) {
    Options options;
    options.fraction = 0;
    test::AuditedChain chain(audited_network(), options);
    mine_honestly(chain);
    mine_a_lie(chain);
    const auto status = chain.status();
    EXPECT_EQ(status.segments + status.waiting + status.running + status.proofs, 0U);
    EXPECT_FALSE(path_exists(chain.proof_file()));
}

TEST_F(Audit, draws_about_its_fraction_of_the_segments) {
    Options options;
    options.fraction = 0.25;
    options.random = seeded(4);
    test::AuditedChain chain(audited_network(), options);
    for (int i = 0; i < 40; ++i) chain.mine_block({{kOther, {}}});
    EXPECT_GE(chain.status().segments, 3U);
    EXPECT_LE(chain.status().segments, 20U);
}

TEST_F(Audit, keeps_a_proof_until_there_is_a_deposit) {
    Options options;
    options.auditor = 77;  // does not mine
    test::AuditedChain chain(audited_network(), options);
    const auto lie = mine_a_lie(chain);
    for (int i = 0; i < 3; ++i) chain.mine_block({{kOther, {}}});
    EXPECT_EQ(chain.status().accusations.unannounced, 1U);
    EXPECT_EQ(chain.status().accusations.committed, 0U);
    const auto stored = read_proofs(chain.proof_file());
    ASSERT_EQ(stored.size(), 1U);
    EXPECT_EQ(stored.front().subject, lie.id);
    EXPECT_EQ(stored.front().proof.unit, 3U);
    // Too late for the proof: it goes.
    for (std::uint32_t i = 0; i < kMaturity; ++i) chain.mine_block({{kOther, {}}});
    EXPECT_EQ(chain.status().accusations.unannounced, 0U);
    EXPECT_TRUE(read_proofs(chain.proof_file()).empty());
}

TEST_F(Audit, goes_on_with_a_pending_commitment_after_a_restart) {
    test::AuditedChain chain(audited_network(), Options{});
    mine_honestly(chain);
    mine_a_lie(chain);
    chain.restart_audits();  // the commitment waits in the pool
    chain.settle();
    chain.mine_block({{kAuditor, {}}});
    EXPECT_EQ(chain.status().accusations.committed, 1U);
    chain.restart_audits();  // it is in the chain, one block deep
    chain.settle();
    EXPECT_EQ(chain.status().proofs, 0U);  // since the start
    EXPECT_EQ(chain.status().accusations.committed, 1U);
    for (int i = 0; i < 3; ++i) chain.mine_block({{kAuditor, {}}});
    EXPECT_EQ(chain.status().accusations.revealed, 1U);
    EXPECT_EQ(chain.immature(kLiar), 0U);
    // The deposit is back: nothing is burnt but the liar's pay.
    for (int i = 0; i < 14; ++i) chain.mine_block({{kAuditor, {}}});
    EXPECT_TRUE(read_proofs(chain.proof_file()).empty());
}

TEST_F(Audit, a_damaged_file_of_proofs_is_refused_with_the_remedy) {
    TemporaryDirectory folder;
    const auto file = folder.path() / "proofs";
    EXPECT_TRUE(read_proofs(file).empty());
    write_file_atomically(file, "no proofs", 0600);
    try {
        static_cast<void>(read_proofs(file));
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.code(), ExitCode::data_directory);
        EXPECT_NE(std::string(failure.what()).find("remove it"), std::string::npos);
    }
}

TEST_F(Audit, the_queue_is_bounded_and_draws_each_segment_once) {
    Options off;
    off.fraction = 0;
    test::AuditedChain chain(audited_network(), off);
    while (chain.segments().size() < 20) chain.mine_block({{kOther, {}}, {kLiar, {}}});
    const auto& segments = chain.segments();

    AuditQueue all(1, AuditQueue::kMaxBytes, seeded(1));
    for (const auto& segment : segments) all.offer(segment, 5);
    for (const auto& segment : segments) all.offer(segment, 6);
    EXPECT_EQ(all.size(), segments.size());
    const std::size_t each = all.bytes() / segments.size();

    AuditQueue small(1, each * 4, seeded(2));
    for (const auto& segment : segments) {
        small.offer(segment, 5);
        EXPECT_LE(small.bytes(), each * 4);
    }
    EXPECT_GE(small.size(), 2U);
    EXPECT_EQ(small.size() + small.dropped(), segments.size());
    while (const auto candidate = small.take()) EXPECT_EQ(candidate->height, 5U);
    EXPECT_EQ(small.bytes(), 0U);

    all.forget(4);
    EXPECT_EQ(all.size(), segments.size());
    all.forget(5);
    EXPECT_EQ(all.size(), 0U);
    EXPECT_EQ(all.bytes(), 0U);
}

}  // namespace
}  // namespace gradient::node
