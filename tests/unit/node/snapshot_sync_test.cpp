// Snapshots on their way from those who serve them to one who starts.
#include "chain/ledger.hpp"
#include "chain/snapshot.hpp"
#include "node/sync/snapshot_download.hpp"
#include "node/sync/snapshot_shelf.hpp"
#include "tests/support/chain_store.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <fstream>
#include <map>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::node {
namespace {

using std::chrono::seconds;

chain::Bytes file_bytes(std::size_t size) {
    chain::Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
    return bytes;
}

// Peers that hold one file, and a download from them. Messages wait until they are delivered.
struct Exchange {
    explicit Exchange(std::size_t size) : content(file_bytes(size)) {
        offer.size_bytes = size;
        for (std::size_t at = 0; at < size; at += kSnapshotPartBytes) {
            offer.parts.push_back(snapshot_part_id(part_at(at)));
        }
        SyncOutlets outlets;
        outlets.send = [this](PeerId peer, const Message& message) {
            sent.emplace_back(peer, std::get<GetSnapshotPart>(message).part);
        };
        outlets.report = [this](PeerId peer, const Offence& offence) {
            reports[peer] = std::get<ProtocolOffence>(offence);
        };
        download.emplace(offer, directory.path() / "snapshot", std::move(outlets));
    }
    chain::ByteSpan part_at(std::size_t at) const {
        const std::size_t size = std::min(kSnapshotPartBytes, content.size() - at);
        return chain::ByteSpan(content).subspan(at, size);
    }
    chain::Bytes bytes_of(const chain::Hash256& part) const {
        for (std::size_t i = 0; i < offer.parts.size(); ++i) {
            const auto bytes = part_at(i * kSnapshotPartBytes);
            if (offer.parts[i] == part) return {bytes.begin(), bytes.end()};
        }
        return {};
    }
    // Every peer answers what it was asked, but the silent one.
    void deliver(PeerId silent = PeerId{99}) {
        std::deque<std::pair<PeerId, chain::Hash256>> kept;
        while (!sent.empty()) {
            const auto [peer, part] = sent.front();
            sent.pop_front();
            if (peer == silent) continue;
            ++answered[peer];
            download->on_part(peer, SnapshotPart{part, bytes_of(part)}, now);
        }
    }
    std::string written() const {
        std::ifstream in(directory.path() / "snapshot", std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    TemporaryDirectory directory;
    chain::Bytes content;
    SnapshotOffer offer;
    SteadyTime now{};
    std::deque<std::pair<PeerId, chain::Hash256>> sent;
    std::map<PeerId, ProtocolOffence> reports;
    std::map<PeerId, int> answered;
    std::optional<SnapshotDownload> download;
};

TEST(SnapshotDownload, fetches_every_part_from_all_who_offer_it) {
    Exchange exchange(kSnapshotPartBytes * 9 + 17);
    exchange.download->add_peer(PeerId{1}, exchange.now);
    exchange.download->add_peer(PeerId{2}, exchange.now);
    exchange.deliver();
    EXPECT_TRUE(exchange.download->is_done());
    EXPECT_TRUE(exchange.reports.empty());
    EXPECT_EQ(exchange.written(), chain::as_text(exchange.content));
    EXPECT_GE(exchange.answered[PeerId{1}], 4);
    EXPECT_GE(exchange.answered[PeerId{2}], 4);
}

TEST(SnapshotDownload, a_part_without_its_name_costs_the_peer_and_is_asked_of_another) {
    Exchange exchange(kSnapshotPartBytes * 2);
    exchange.download->add_peer(PeerId{1}, exchange.now);
    const auto part = exchange.sent.front().second;
    exchange.download->on_part(PeerId{1}, SnapshotPart{part, {1, 2, 3}}, exchange.now);
    EXPECT_EQ(exchange.reports.at(PeerId{1}), ProtocolOffence::false_snapshot);
    EXPECT_FALSE(exchange.download->has_peers());
    exchange.sent.clear();
    exchange.download->add_peer(PeerId{2}, exchange.now);
    exchange.deliver();
    EXPECT_TRUE(exchange.download->is_done());
}

TEST(SnapshotDownload, a_silent_peer_is_given_up) {
    Exchange exchange(kSnapshotPartBytes * 8);
    exchange.download->add_peer(PeerId{1}, exchange.now);
    exchange.download->add_peer(PeerId{2}, exchange.now);
    exchange.deliver(PeerId{1});
    EXPECT_FALSE(exchange.download->is_done());
    exchange.now += SnapshotDownload::kPartTimeout + seconds(1);
    exchange.download->tick(exchange.now);
    EXPECT_EQ(exchange.reports.at(PeerId{1}), ProtocolOffence::stalled);
    exchange.deliver(PeerId{1});
    EXPECT_TRUE(exchange.download->is_done());
}

TEST(SnapshotDownload, takes_nothing_that_it_has_not_asked_for) {
    Exchange exchange(kSnapshotPartBytes * 2);
    exchange.download->on_part(PeerId{7}, SnapshotPart{}, exchange.now);
    EXPECT_EQ(exchange.reports.at(PeerId{7}), ProtocolOffence::unsolicited);
    exchange.download->add_peer(PeerId{1}, exchange.now);
    exchange.download->on_part(PeerId{1}, SnapshotPart{test::hash_of(5), {1}}, exchange.now);
    EXPECT_EQ(exchange.reports.at(PeerId{1}), ProtocolOffence::unsolicited);
    EXPECT_EQ(exchange.download->parts_written(), 0U);
}

TEST(SnapshotDownload, an_offer_has_as_many_parts_as_its_bytes_take) {
    SnapshotOffer offer;
    EXPECT_FALSE(is_well_formed(offer));
    offer.parts.resize(2);
    offer.size_bytes = kSnapshotPartBytes;
    EXPECT_FALSE(is_well_formed(offer));
    offer.size_bytes = kSnapshotPartBytes + 1;
    EXPECT_TRUE(is_well_formed(offer));
    offer.size_bytes = std::uint64_t{1} << 63U;
    EXPECT_FALSE(is_well_formed(offer));
}

TEST(SnapshotShelf, is_due_at_every_interval_once_it_lies_deep_enough) {
    TemporaryDirectory directory;
    SnapshotShelf shelf(directory.path() / "snapshots", 10);
    EXPECT_EQ(shelf.due(10 + SnapshotShelf::kDepth - 1), std::nullopt);
    EXPECT_EQ(shelf.due(10 + SnapshotShelf::kDepth), 10U);
    SnapshotShelf::Entry entry;
    entry.offer.height = 10;
    shelf.add(entry);
    EXPECT_EQ(shelf.due(19 + SnapshotShelf::kDepth), std::nullopt);
    EXPECT_EQ(shelf.due(20 + SnapshotShelf::kDepth), 20U);
    shelf.pass_over(20);
    EXPECT_EQ(shelf.due(20 + SnapshotShelf::kDepth), std::nullopt);
    EXPECT_EQ(shelf.due(30 + SnapshotShelf::kDepth), 30U);
    EXPECT_EQ(SnapshotShelf(directory.path() / "none", 0).due(1'000'000), std::nullopt);
}

TEST(SnapshotShelf, what_it_serves_becomes_the_same_chain_elsewhere) {
    TemporaryDirectory directory;
    const auto network = test::tiny_network(2);
    const auto store = std::make_shared<chain::MemoryStore>();
    chain::OwnTrainers trainers;
    auto ledger = test::open_ledger(network, store);
    chain::Hash256 tip = network->genesis.id;
    for (int i = 0; i < 4; ++i) tip = *test::grow(*ledger, tip, trainers);

    SnapshotShelf shelf(directory.path() / "snapshots", 1);
    shelf.add(SnapshotShelf::make(*store, shelf.folder(), 3));
    const SnapshotOffer offer = shelf.offer();
    ASSERT_TRUE(is_well_formed(offer));
    EXPECT_EQ(offer.height, 3U);
    EXPECT_EQ(offer.state_root, ledger->tip()->index().header.tmpl.state_root);

    SyncOutlets outlets;
    std::deque<chain::Hash256> asked;
    outlets.send = [&](PeerId, const Message& message) {
        asked.push_back(std::get<GetSnapshotPart>(message).part);
    };
    outlets.report = [](PeerId, const Offence&) { FAIL(); };
    const auto file = directory.path() / "fetched";
    SnapshotDownload download(offer, file, outlets);
    download.add_peer(PeerId{1}, SteadyTime());
    while (!asked.empty()) {
        const auto part = asked.front();
        asked.pop_front();
        download.on_part(PeerId{1}, SnapshotPart{part, shelf.part(part)}, SteadyTime());
    }
    ASSERT_TRUE(download.is_done());
    chain::MemoryStore fresh;
    std::ifstream in(file, std::ios::binary);
    const auto imported = chain::import_snapshot(*network, fresh, in, offer.state_root);
    ASSERT_TRUE(imported);
    EXPECT_EQ(imported->block, offer.block);
    EXPECT_TRUE(shelf.part(test::hash_of(1)).empty());
}

}  // namespace
}  // namespace gradient::node
