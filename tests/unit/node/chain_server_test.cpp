#include "node/sync/chain_server.hpp"

#include "tests/unit/node/sync_fixture.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::node {
namespace {

class ServeBlocks : public SyncTest {
  protected:
    static constexpr PeerId kPeer{5};

    SyncOutlets outlets() {
        SyncOutlets outlets;
        outlets.send = [this](PeerId, Message message) { sent.push_back(std::move(message)); };
        outlets.report = [this](PeerId, const Offence& offence) { reports.push_back(offence); };
        outlets.queued_bytes = [this](PeerId) { return queued; };
        return outlets;
    }
    ChainServer server(const chain::Ledger& ledger, const ServeLimits& limits = {}) {
        ChainServer server(ledger, outlets(), limits);
        server.peer_joined(kPeer, now);
        return server;
    }
    std::vector<chain::Header> headers_for(const chain::Ledger& ledger,
                                           std::vector<chain::Hash256> locator) {
        server(ledger).on_get_headers(kPeer, {std::move(locator)}, now);
        return std::get<Headers>(sent.back()).headers;
    }

    std::vector<Message> sent;
    std::vector<Offence> reports;
    std::size_t queued = 0;
    SteadyTime now{std::chrono::hours(1)};
};

TEST_F(ServeBlocks, headers_start_above_the_first_id_on_the_active_chain) {
    const auto blocks = mine(8);
    const auto ledger = ledger_with(blocks);
    const auto side = mine(1, std::span(blocks).first(6), 3);
    ASSERT_TRUE(ledger->submit_block(side[0], side[0]->header.tmpl.time_ms, trainers_));
    const chain::Hash256 unknown = test::hash_of(9);
    EXPECT_EQ(headers_for(*ledger, {unknown, id_of(side[0]), id_of(blocks[5]), id_of(blocks[2])}),
              (std::vector{blocks[6]->header, blocks[7]->header}));
    EXPECT_EQ(headers_for(*ledger, {id_of(blocks[7])}).size(), 0U);
    EXPECT_EQ(headers_for(*ledger, {}).size(), 8U);
    EXPECT_EQ(headers_for(*ledger, {unknown}).front(), blocks[0]->header);
}

TEST_F(ServeBlocks, blocks_of_side_branches_are_served_too_and_others_are_not_found) {
    const auto blocks = mine(4);
    const auto ledger = ledger_with(blocks);
    const auto side = mine(1, std::span(blocks).first(2), 3);
    ASSERT_TRUE(ledger->submit_block(side[0], side[0]->header.tmpl.time_ms, trainers_));
    auto serving = server(*ledger);
    for (const auto& block : {blocks[1], side[0]}) {
        serving.on_get_block(kPeer, {id_of(block)}, now);
        EXPECT_EQ(std::get<BlockMessage>(sent.back()).block, *block);
    }
    serving.on_get_block(kPeer, {test::hash_of(9)}, now);
    EXPECT_EQ(std::get<NotFound>(sent.back()), (NotFound{{{ItemKind::block, test::hash_of(9)}}}));
}

TEST_F(ServeBlocks, requests_wait_while_the_peer_does_not_read) {
    const auto blocks = mine(3);
    const auto ledger = ledger_with(blocks);
    auto serving = server(*ledger);
    queued = kSendQueueBusyBytes + 1;
    for (const auto& block : blocks) serving.on_get_block(kPeer, {id_of(block)}, now);
    EXPECT_TRUE(sent.empty());
    EXPECT_EQ(serving.waiting(), 3U);
    queued = 0;
    serving.tick(now);
    ASSERT_EQ(sent.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(std::get<BlockMessage>(sent[i]).block, *blocks[i]);
    }
    EXPECT_TRUE(reports.empty());
}

TEST_F(ServeBlocks, more_requests_than_may_wait_are_an_offence) {
    const auto ledger = ledger_with({});
    ServeLimits limits;
    limits.max_waiting = 2;
    auto serving = server(*ledger, limits);
    queued = kSendQueueBusyBytes + 1;
    for (int i = 0; i < 3; ++i) serving.on_get_headers(kPeer, {}, now);
    EXPECT_EQ(reports, std::vector<Offence>{ProtocolOffence::too_many_requests});
    EXPECT_EQ(serving.waiting(), 2U);
    serving.peer_left(kPeer);
    EXPECT_EQ(serving.waiting(), 0U);
}

TEST_F(ServeBlocks, bytes_beyond_the_budget_wait_for_it) {
    const auto blocks = mine(1);
    const auto ledger = ledger_with(blocks);
    ServeLimits limits;
    limits.burst_bytes = 1;
    limits.bytes_per_second = chain::encoded_size(*blocks[0]);
    auto serving = server(*ledger, limits);
    for (int i = 0; i < 3; ++i) serving.on_get_block(kPeer, {id_of(blocks[0])}, now);
    EXPECT_EQ(sent.size(), 1U);
    now += 990ms;
    serving.tick(now);
    EXPECT_EQ(sent.size(), 1U);
    now += 20ms;
    serving.tick(now);
    EXPECT_EQ(sent.size(), 2U);
    now += 1s;
    serving.tick(now);
    EXPECT_EQ(sent.size(), 3U);
}

}  // namespace
}  // namespace gradient::node
