#pragma once

#include "tests/support/relay_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::node {

/// One node, four blocks high, another one that makes things for it, and strangers.
class RelayItemsTest : public testing::Test {
  protected:
    RelayItemsTest() {
        network.add_node();
        network.add_node();  // connected with nobody
        network.extend_all(5);
        network.start_ticks();
        a = network.add_stranger(0);
        b = network.add_stranger(0);
    }

    test::RelayNode& at() { return network[0]; }
    void tell(PeerId peer, std::vector<ItemId> items) {
        network.deliver(0, peer, Inventory{std::move(items)});
    }
    void send(PeerId peer, Message message) { network.deliver(0, peer, std::move(message)); }

    /// The items that a stranger has been asked for.
    std::vector<ItemId> asked(PeerId peer) {
        std::vector<ItemId> items;
        for (const Message& message : network.to_stranger[peer]) {
            const auto* request = std::get_if<GetItems>(&message);
            if (!request) continue;
            items.insert(items.end(), request->items.begin(), request->items.end());
        }
        return items;
    }
    template <class M>
    std::size_t count(PeerId peer) {
        return static_cast<std::size_t>(std::ranges::count_if(
            network.to_stranger[peer],
            [](const Message& message) { return std::holds_alternative<M>(message); }));
    }
    std::vector<ItemId> told(PeerId peer) {
        std::vector<ItemId> items;
        for (const Message& message : network.to_stranger[peer]) {
            const auto* inventory = std::get_if<Inventory>(&message);
            if (!inventory) continue;
            items.insert(items.end(), inventory->items.begin(), inventory->items.end());
        }
        return items;
    }
    SharedTransaction transaction(std::uint64_t after = 0) {
        return network.transfer(network.nonce_of_miner(0) + after);
    }
    static ItemId item(const SharedTransaction& made) {
        return {ItemKind::transaction, chain::transaction_id(*made)};
    }
    static ItemId item(const chain::VerifiedShare& made) {
        return {ItemKind::share, made.outcome.id};
    }
    /// An id that nothing has.
    static ItemId nothing(std::uint64_t number, ItemKind kind = ItemKind::transaction) {
        ItemId made{kind, {}};
        for (std::size_t i = 0; i < 8; ++i) {
            made.id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
        }
        made.id.bytes[31] = 1;
        return made;
    }
    chain::Segment corrupted(const chain::VerifiedShare& made) {
        chain::Segment segment = *made.segment;
        segment.body.signature.bytes[5] ^= 1U;
        return segment;
    }

    test::RelayNetwork network{1};
    PeerId a{};
    PeerId b{};
};

}  // namespace gradient::node
