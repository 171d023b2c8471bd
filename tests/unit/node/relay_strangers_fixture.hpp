#pragma once

#include "tests/support/relay_network.hpp"

#include <gtest/gtest.h>

#include <variant>
#include <vector>

namespace gradient::node {

/// One node, four blocks high, another one that makes things for it, and two strangers, who may do
/// anything.
class RelayStrangersTest : public testing::Test {
  protected:
    RelayStrangersTest() {
        network.add_node();
        network.add_node();  // connected with nobody
        network.extend_all(5);
        network.start_ticks();
        a = network.add_stranger(0);
        b = network.add_stranger(0);
    }

    test::RelayNode& at() { return network[0]; }
    void send(PeerId peer, Message message) { network.deliver(0, peer, std::move(message)); }

    /// The messages of a type that a stranger has got.
    template <class M>
    std::vector<M> all(PeerId peer) {
        std::vector<M> messages;
        for (const Message& message : network.to_stranger[peer]) {
            if (const auto* one = std::get_if<M>(&message)) messages.push_back(*one);
        }
        return messages;
    }

    test::RelayNetwork network{1};
    PeerId a{};
    PeerId b{};
};

}  // namespace gradient::node
