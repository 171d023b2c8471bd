// When a node may mine, and what it says it waits for.
#include "node/network/caught_up.hpp"
#include "node/network/stuck_report.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace gradient::node {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{};

CaughtUp::Facts facts_at(std::chrono::milliseconds time) {
    CaughtUp::Facts facts;
    facts.now = kStart + time;
    return facts;
}

TEST(CaughtUp, a_node_that_is_to_be_alone_mines_at_once) {
    CaughtUp caught_up(kStart);
    EXPECT_TRUE(caught_up.look(facts_at(0ms)));
}

TEST(CaughtUp, waits_for_a_first_peer_but_not_for_ever) {
    CaughtUp caught_up(kStart);
    auto facts = facts_at(CaughtUp::kPeerWait - 1ms);
    facts.expects_peers = true;
    EXPECT_FALSE(caught_up.look(facts));
    facts.now += 1ms;
    EXPECT_TRUE(caught_up.look(facts));
}

TEST(CaughtUp, waits_until_it_is_in_sync_with_peers_whose_claims_are_known) {
    CaughtUp caught_up(kStart);
    auto facts = facts_at(1000ms);
    facts.expects_peers = true;
    facts.first_peer_since = kStart + 900ms;
    facts.in_sync = true;
    EXPECT_FALSE(caught_up.look(facts));
    facts.now = kStart + 900ms + CaughtUp::kSettling;
    facts.in_sync = false;
    EXPECT_FALSE(caught_up.look(facts));
    facts.in_sync = true;
    EXPECT_TRUE(caught_up.look(facts));
    facts.in_sync = false;
    EXPECT_TRUE(caught_up.look(facts)) << "once it has said yes it stays so";
}

// Whoever claims a chain that does not exist must not keep anybody from mining.
TEST(CaughtUp, a_claim_that_leads_nowhere_is_waited_for_only_so_long) {
    CaughtUp caught_up(kStart);
    auto facts = facts_at(0ms);
    facts.expects_peers = true;
    facts.first_peer_since = kStart;
    for (std::uint64_t height = 1; height <= 5; ++height) {  // it moves
        facts.now += CaughtUp::kProgressWait - 1ms;
        facts.tip_height = height;
        EXPECT_FALSE(caught_up.look(facts));
    }
    facts.now += CaughtUp::kProgressWait;
    EXPECT_TRUE(caught_up.look(facts));
}

StuckReport explain_state(const SyncState& state, std::uint64_t tip_age_ms = 0) {
    StuckFacts facts;
    facts.sync.state = state;
    facts.sync.best_claimed_height = 50;
    facts.tip_height = 40;
    facts.tip_age_ms = tip_age_ms;
    facts.interval_ms = 1000;
    facts.now = kStart + 100s;
    return explain(facts);
}

TEST(WhyStuck, names_what_is_waited_for_by_whom_and_what_to_do) {
    const auto alone = explain_state(sync_state::NoPeers{});
    EXPECT_EQ(alone.state, "no_peers");
    EXPECT_NE(alone.advice.find("--connect"), std::string::npos);

    const auto quiet = explain_state(sync_state::InSync{});
    EXPECT_EQ(quiet.state, "in_sync");
    EXPECT_FALSE(quiet.is_stuck);
    EXPECT_NE(quiet.waiting_for.find("41"), std::string::npos);
    EXPECT_TRUE(explain_state(sync_state::InSync{}, 10'000).is_stuck);

    const auto headers = explain_state(sync_state::WaitingForHeaders{PeerId{7}});
    EXPECT_EQ(headers.peer, PeerId{7});
    EXPECT_NE(headers.waiting_for.find("50"), std::string::npos);

    const auto refused = explain_state(sync_state::AllPeersRefused{
        Offence(chain::SubmitError(chain::RuleError(chain::HeaderError::wrong_bits)))});
    EXPECT_TRUE(refused.is_stuck);
    EXPECT_EQ(refused.rule, chain::describe(chain::HeaderError::wrong_bits));

    const auto stalled = explain_state(sync_state::Stalled{PeerId{3}, kStart + 88s});
    EXPECT_EQ(stalled.peer, PeerId{3});
    EXPECT_NE(stalled.waiting_for.find("12 s"), std::string::npos);

    EXPECT_TRUE(explain_state(sync_state::NoSource{41}, 10'000).is_stuck);
    EXPECT_FALSE(explain_state(sync_state::NoSource{41}).is_stuck);  // the tip has just moved
    EXPECT_FALSE(explain_state(sync_state::Downloading{41, 50, 2}).is_stuck);
    EXPECT_FALSE(explain_state(sync_state::Verifying{41}).is_stuck);
}

TEST(WhyStuck, does_not_say_that_nobody_mines_where_somebody_does) {
    StuckFacts facts;
    facts.sync.state = sync_state::InSync{};
    facts.interval_ms = 1000;
    facts.tip_age_ms = kQuietIntervals * facts.interval_ms;
    EXPECT_NE(explain(facts).advice.find("mine start"), std::string::npos);
    facts.is_mining = true;
    EXPECT_EQ(explain(facts).advice.find("mine start"), std::string::npos);
    EXPECT_NE(explain(facts).advice.find("This node mines"), std::string::npos);
    // Blocks that it does not have are found all the time.
    for (const bool is_mining : {false, true}) {
        facts.is_mining = is_mining;
        facts.news_age_ms = facts.tip_age_ms - 1;
        EXPECT_NE(explain(facts).advice.find("somebody mines"), std::string::npos);
        facts.news_age_ms = facts.tip_age_ms;
        EXPECT_EQ(explain(facts).advice.find("somebody mines"), std::string::npos);
    }
}

}  // namespace
}  // namespace gradient::node
