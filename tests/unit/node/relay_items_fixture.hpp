#pragma once

#include "tests/unit/node/relay_strangers_fixture.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace gradient::node {

/// With transactions and shares, and what strangers are told of them.
class RelayItemsTest : public RelayStrangersTest {
  protected:
    void tell(PeerId peer, std::vector<ItemId> items) { send(peer, Inventory{std::move(items)}); }

    /// The items that a stranger has been asked for, and told of.
    std::vector<ItemId> asked(PeerId peer) { return items_of<GetItems>(peer); }
    std::vector<ItemId> told(PeerId peer) { return items_of<Inventory>(peer); }
    template <class M>
    std::size_t count(PeerId peer) {
        return all<M>(peer).size();
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

  private:
    template <class M>
    std::vector<ItemId> items_of(PeerId peer) {
        std::vector<ItemId> items;
        for (const M& message : all<M>(peer))
            items.insert(items.end(), message.items.begin(), message.items.end());
        return items;
    }
};

}  // namespace gradient::node
