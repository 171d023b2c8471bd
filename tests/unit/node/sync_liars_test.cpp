#include "tests/unit/node/sync_fixture.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>

namespace gradient::node {
namespace {

using namespace sync_state;  // NOLINT(google-build-using-namespace)
using test::HeaderForge;
using test::ScriptedPeer;
using test::SimulatedNetwork;
using test::SyncNode;

class SyncLiars : public SyncTest {
  protected:
    /// Has a node lose all messages of a type that it sends.
    template <class Type>
    void silence(const SyncNode& node) {
        const auto index = node.index();
        simulated_.intercept = [index](SimulatedNetwork::NodeIndex sender, PeerId,
                                       const Message& message) {
            return sender != index || !std::holds_alternative<Type>(message);
        };
    }
    /// Has a node change all messages of a type that it sends.
    template <class Type>
    void tamper(const SyncNode& node, std::function<void(Type&)> change) {
        const auto index = node.index();
        simulated_.intercept = [index, change](SimulatedNetwork::NodeIndex sender, PeerId,
                                               Message& message) {
            auto* content = std::get_if<Type>(&message);
            if (content && sender == index) change(*content);
            return true;
        };
    }
    HeaderForge forge(std::uint32_t seed = 1) {
        return {*network_, network_->genesis.id, genesis_index(), seed};
    }
    chain::BlockIndex genesis_index() { return **ledger_with({})->index(network_->genesis.id); }
    /// A block with real work on the last one, that commits to a wrong state.
    SharedBlock wrong_block(std::span<const SharedBlock> below) {
        const auto parent = ledger_with(below)->tip();
        const chain::SecretKey key = test::tiny_key();
        auto work = *chain::make_template(parent, {}, key.public_key(),
                                          parent->context().time_ms + 1'000, trainers_);
        work.tmpl.state_root = test::hash_of(0x66);
        model::Trainer& trainer = trainers_.trainer_of(parent->task());
        for (std::uint32_t number = 0;; ++number) {
            chain::Lane lane = work.start_lane(number);
            while (!lane.full()) {
                if (*lane.step(trainer) != chain::TicketClass::win) continue;
                auto segment = chain::build_segment(lane, key, trainer);
                return std::make_shared<const chain::Block>(
                    work.assemble_block(*std::move(segment)));
            }
        }
    }
};

// Answers with real headers from a list, whatever the locator, and with blocks.
struct Script {
    std::vector<chain::Header> headers;
    std::vector<test::SharedBlock> blocks;
};

TEST_F(SyncLiars, peer_that_sends_no_blocks_is_given_up_and_others_step_in) {
    const auto blocks = mine(30);
    const auto silent = make_node(blocks);
    const auto good = make_node(blocks);
    const auto newcomer = make_node();
    const PeerId to_silent = simulated_.connect(newcomer->index(), silent->index());
    simulated_.connect(newcomer->index(), good->index());
    silence<BlockMessage>(*silent);
    // Others step in when it is late for the first time.
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back()), 10s));
    EXPECT_TRUE(newcomer->reports.empty());
    simulated_.run_for(SilenceWatch::kPatience + 1s);
    EXPECT_TRUE(newcomer->has_reported(to_silent, ProtocolOffence::stalled));
    EXPECT_EQ(newcomer->reports.size(), 1U);
}

TEST_F(SyncLiars, three_that_withhold_a_block_do_not_keep_it_from_a_fourth) {
    const auto blocks = mine(1);
    std::vector<std::unique_ptr<test::SyncNode>> silent;
    const auto newcomer = make_node();
    newcomer->parts_at_blame = false;
    for (int i = 0; i < 3; ++i) {
        silent.push_back(make_node(blocks));
        simulated_.connect(newcomer->index(), silent.back()->index());
    }
    simulated_.intercept = [&](SimulatedNetwork::NodeIndex sender, PeerId, Message& message) {
        const bool is_silent =
            std::ranges::any_of(silent, [&](const auto& node) { return node->index() == sender; });
        return !is_silent || !std::holds_alternative<BlockMessage>(message);
    };
    simulated_.run_for(25s);  // each has been asked
    const auto good = make_node(blocks);
    simulated_.connect(newcomer->index(), good->index());
    EXPECT_TRUE(reaches(*newcomer, id_of(blocks.back()), 60s));
}

TEST_F(SyncLiars, peer_that_sends_nothing_is_named_before_it_is_given_up) {
    const auto blocks = mine(5);
    const auto silent = make_node(blocks);
    const auto newcomer = make_node();
    const PeerId peer = simulated_.connect(newcomer->index(), silent->index());
    silence<BlockMessage>(*silent);
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->is<Stalled>(); }, 60s));
    EXPECT_EQ(std::get<Stalled>(newcomer->status().state).peer, peer);
    EXPECT_TRUE(newcomer->reports.empty());
    EXPECT_TRUE(simulated_.run_until(
        [&] { return newcomer->has_reported(peer, ProtocolOffence::stalled); }, 60s));
}

TEST_F(SyncLiars, peer_that_sends_no_headers_is_given_up) {
    const auto silent = make_node(mine(5));
    const auto newcomer = make_node();
    const PeerId peer = simulated_.connect(newcomer->index(), silent->index());
    silence<Headers>(*silent);
    EXPECT_TRUE(simulated_.run_until(
        [&] { return newcomer->has_reported(peer, ProtocolOffence::stalled); }, 60s));
}

// An answer that comes after its sender was given up is neither unsolicited nor one to a later
// question.
TEST_F(SyncLiars, answers_of_a_peer_that_was_given_up_are_known_as_such) {
    const auto blocks = mine(5);
    const auto slow = make_node(blocks);
    const auto newcomer = make_node();
    const PeerId peer = simulated_.connect(newcomer->index(), slow->index());
    newcomer->parts_at_blame = false;
    std::vector<Message> held;
    const auto index = slow->index();
    simulated_.intercept = [&](SimulatedNetwork::NodeIndex sender, PeerId, Message& message) {
        const bool holds = sender == index && std::holds_alternative<Headers>(message);
        if (holds) held.push_back(message);
        return !holds;
    };
    ASSERT_TRUE(simulated_.run_until(
        [&] { return newcomer->has_reported(peer, ProtocolOffence::stalled); }, 60s));
    // It claims more meanwhile, and is not asked again before it has answered.
    const auto more = mine(2, blocks);
    slow->take(more);
    simulated_.run_for(5s);
    simulated_.intercept = nullptr;
    ASSERT_EQ(held.size(), 1U);
    simulated_.send(simulated_.other_end(peer), held.front());
    EXPECT_TRUE(reaches(*newcomer, id_of(more.back()), 120s));
    EXPECT_FALSE(newcomer->has_reported(peer, ProtocolOffence::unsolicited));
    EXPECT_FALSE(newcomer->has_reported(peer, ProtocolOffence::broken_headers));
}

TEST_F(SyncLiars, block_that_a_peer_lacks_comes_from_another) {
    const auto blocks = mine(20);
    const auto pruned = make_node(blocks);
    const auto good = make_node(blocks);
    const auto newcomer = make_node();
    simulated_.connect(newcomer->index(), pruned->index());
    simulated_.connect(newcomer->index(), good->index());
    const auto index = pruned->index();
    simulated_.intercept = [index](SimulatedNetwork::NodeIndex sender, PeerId, Message& message) {
        const auto* block = std::get_if<BlockMessage>(&message);
        if (sender != index || !block) return true;
        message = NotFound{{{ItemKind::block, chain::header_id(block->block.header)}}};
        return true;
    };
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back())));
    EXPECT_TRUE(newcomer->reports.empty());
}

TEST_F(SyncLiars, block_that_nobody_has_is_named) {
    const auto blocks = mine(3);
    const auto pruned = make_node(blocks);
    const auto newcomer = make_node();
    simulated_.connect(newcomer->index(), pruned->index());
    simulated_.intercept = [](SimulatedNetwork::NodeIndex, PeerId, Message& message) {
        const auto* block = std::get_if<BlockMessage>(&message);
        if (block) message = NotFound{{{ItemKind::block, chain::header_id(block->block.header)}}};
        return true;
    };
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->is<NoSource>(); }, 10s));
    EXPECT_EQ(std::get<NoSource>(newcomer->status().state).height, 1U);
    simulated_.intercept = nullptr;
    EXPECT_TRUE(reaches(*newcomer, id_of(blocks.back())));
}

TEST_F(SyncLiars, peer_whose_chain_came_as_a_snapshot_is_asked_again_later) {
    const auto blocks = mine(3);
    const auto snapshot = make_node(blocks);
    const auto newcomer = make_node();
    simulated_.connect(newcomer->index(), snapshot->index());
    const chain::Hash256 genesis = network_->genesis.id;
    simulated_.intercept = [genesis](SimulatedNetwork::NodeIndex, PeerId, Message& message) {
        if (std::holds_alternative<Headers>(message)) {
            message = NotFound{{{ItemKind::block, genesis}}};
        }
        return true;
    };
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->is<NoSource>(); }, 10s));
    simulated_.run_for(7s);
    EXPECT_EQ(simulated_.sent<GetHeaders>(), 2U);
    EXPECT_TRUE(newcomer->reports.empty());
    simulated_.intercept = nullptr;
    EXPECT_TRUE(reaches(*newcomer, id_of(blocks.back())));
}

TEST_F(SyncLiars, chain_that_the_ledger_does_not_follow_is_dropped_without_blame) {
    const auto blocks = mine(5);
    const auto peer = make_node(std::span(blocks).first(4));
    const auto newcomer = make_node();
    const chain::SubmitError pruned = chain::LedgerError::pruned;
    newcomer->failures = {pruned};
    simulated_.connect(newcomer->index(), peer->index());
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->is<AllPeersRefused>(); }, 10s));
    EXPECT_EQ(std::get<AllPeersRefused>(newcomer->status().state).last, Offence(pruned));
    EXPECT_EQ(newcomer->status().headers_held, 0U);
    simulated_.run_for(20s);
    EXPECT_EQ(newcomer->submissions, 1U);
    EXPECT_TRUE(newcomer->reports.empty());
    // Another claim is looked at anew.
    peer->take(blocks);
    EXPECT_TRUE(reaches(*newcomer, id_of(blocks.back())));
}

TEST_F(SyncLiars, bad_copy_is_held_against_its_sender_and_the_block_comes_from_another) {
    const auto blocks = mine(10);
    const auto liar = make_node(blocks);
    const auto good = make_node(blocks);
    const auto newcomer = make_node();
    const PeerId to_liar = simulated_.connect(newcomer->index(), liar->index());
    simulated_.connect(newcomer->index(), good->index());
    tamper<BlockMessage>(
        *liar, [](BlockMessage& message) { message.block.winner.signature.bytes[0] ^= 1U; });
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back())));
    ASSERT_EQ(newcomer->reports.size(), 1U);
    EXPECT_EQ(newcomer->reports[0].peer, to_liar);
    EXPECT_EQ(newcomer->reports[0].offence,
              Offence(chain::SubmitError(chain::RuleError(chain::SegmentError::bad_signature))));
}

TEST_F(SyncLiars, chain_above_an_invalid_block_is_given_up_and_the_next_best_followed) {
    const auto common = mine(4);
    const auto good_blocks = mine(6, common);
    const SharedBlock wrong = wrong_block(common);
    // The liar's chain is longer: an invalid block, and headers forged on it.
    auto headers = std::vector<chain::Header>();
    for (const auto& block : common) headers.push_back(block->header);
    const auto ledger = ledger_with(common);
    HeaderEnd end(ledger->tip()->id(), ledger->tip()->index());
    ASSERT_TRUE(end.extend(wrong->header, *network_, wrong->header.tmpl.time_ms));
    chain::BlockIndex index = ledger->tip()->index();
    ASSERT_TRUE(index.history.append({id_of(wrong), 5, wrong->header.tmpl.time_ms,
                                      index.cumulative_work, end.cumulative_work()}));
    index.header = wrong->header;
    index.cumulative_work = end.cumulative_work();
    HeaderForge above(*network_, id_of(wrong), index);
    headers.push_back(wrong->header);
    for (const auto& header : above.next(20)) headers.push_back(header);

    ScriptedPeer liar(simulated_, *network_, above.claim(),
                      [&](PeerId peer, const Message& message) {
                          if (std::holds_alternative<GetHeaders>(message)) {
                              simulated_.send(peer, Headers{headers});
                          } else if (const auto* get = std::get_if<GetBlock>(&message)) {
                              for (const auto& block : common) {
                                  if (id_of(block) == get->id) {
                                      simulated_.send(peer, BlockMessage{*block});
                                  }
                              }
                              if (get->id == id_of(wrong)) {
                                  simulated_.send(peer, BlockMessage{*wrong});
                              }
                          }
                      });
    const auto good = make_node(common);
    good->take(good_blocks);
    const auto newcomer = make_node();
    const PeerId to_liar = simulated_.connect(newcomer->index(), liar.index());
    simulated_.connect(newcomer->index(), good->index());
    ASSERT_TRUE(reaches(*newcomer, id_of(good_blocks.back())));
    ASSERT_EQ(newcomer->reports.size(), 1U);
    EXPECT_EQ(newcomer->reports[0].peer, to_liar);
    EXPECT_EQ(newcomer->reports[0].offence,
              Offence(chain::SubmitError(chain::RuleError(chain::BlockError::wrong_state_root))));
    EXPECT_EQ(newcomer->status().headers_held, 0U);
    EXPECT_EQ(newcomer->status().bytes_held, 0U);

    // Whoever shows headers on it later is told by the headers alone.
    const std::size_t before = newcomer->submissions;
    ScriptedPeer second(simulated_, *network_, above.claim(),
                        [&](PeerId peer, const Message& message) {
                            if (std::holds_alternative<GetHeaders>(message)) {
                                simulated_.send(peer, Headers{headers});
                            }
                        });
    const PeerId to_second = simulated_.connect(newcomer->index(), second.index());
    simulated_.run_for(5s);
    EXPECT_TRUE(
        newcomer->has_reported(to_second, chain::SubmitError(chain::LedgerError::condemned)));
    EXPECT_EQ(newcomer->submissions, before);
}

TEST_F(SyncLiars, claim_without_the_work_behind_it_is_held_against_the_peer) {
    const auto blocks = mine(5);
    const auto liar = make_node(blocks);
    const auto newcomer = make_node();
    tamper<Hello>(*liar, [](Hello& hello) {
        hello.tip.cumulative_work = chain::saturating_mul(hello.tip.cumulative_work, 3);
        hello.tip.id = test::hash_of(1);
    });
    const PeerId peer = simulated_.connect(newcomer->index(), liar->index());
    simulated_.run_for(5s);
    EXPECT_TRUE(newcomer->has_reported(peer, ProtocolOffence::false_claim));
    EXPECT_EQ(newcomer->height(), 0U);
    EXPECT_EQ(newcomer->status().headers_held, 0U);
}

TEST_F(SyncLiars, claim_without_any_headers_is_held_against_the_peer) {
    const auto newcomer = make_node(mine(5));
    HeaderForge forged = forge();
    static_cast<void>(forged.next(30));
    ScriptedPeer liar(simulated_, *network_, forged.claim(),
                      [&](PeerId peer, const Message& message) {
                          if (std::holds_alternative<GetHeaders>(message)) {
                              simulated_.send(peer, Headers{});
                          }
                      });
    const PeerId peer = simulated_.connect(newcomer->index(), liar.index());
    simulated_.run_for(5s);
    EXPECT_TRUE(newcomer->has_reported(peer, ProtocolOffence::false_claim));
}

// Each way in which headers may fail to follow one another.
TEST_F(SyncLiars, broken_headers_are_held_against_the_peer) {
    using Change = std::function<void(std::vector<chain::Header>&)>;
    const std::vector<Change> changes = {
        [](auto& headers) { headers.erase(headers.begin() + 2); },
        [](auto& headers) { headers.erase(headers.begin()); },
        [](auto& headers) { std::swap(headers[1], headers[2]); },
        [](auto& headers) { headers[4].tmpl.height += 1; },
        [](auto& headers) { headers[4].tmpl.time_ms = headers[3].tmpl.time_ms; },
        [](auto& headers) { headers[4].tmpl.bits -= 1; },
        [](auto& headers) { headers[4].tmpl.history_root.bytes[3] ^= 1U; },
        [](auto& headers) { headers[4].tmpl.version = 9; },
        [](auto& headers) { headers[4].units = 0; },
        [this](auto& headers) {
            auto& header = headers[4];
            while (chain::check_claim(header, network_->task->unit_work, network_->params())) {
                ++header.last_digest.bytes[5];
            }
        },
        [](auto& headers) { headers[0].tmpl.task = 5; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        HeaderForge forged = forge();
        auto headers = forged.next(5);
        changes[i](headers);
        ScriptedPeer liar(simulated_, *network_, forged.claim(),
                          [&](PeerId peer, const Message& message) {
                              if (std::holds_alternative<GetHeaders>(message)) {
                                  simulated_.send(peer, Headers{headers});
                              }
                          });
        const auto newcomer = make_node();
        const PeerId peer = simulated_.connect(newcomer->index(), liar.index());
        simulated_.run_for(1s);
        EXPECT_TRUE(newcomer->has_reported(peer, ProtocolOffence::broken_headers)) << i;
        EXPECT_EQ(newcomer->status().headers_held, 0U) << i;
        EXPECT_EQ(liar.count<GetBlock>(), 0U) << i;
    }
}

TEST_F(SyncLiars, answers_that_nobody_asked_for_are_held_against_the_peer) {
    const auto blocks = mine(2);
    const auto newcomer = make_node();
    for (const Message& message :
         {Message(Headers{{blocks[0]->header}}), Message(BlockMessage{*blocks[0]})}) {
        ScriptedPeer talker(simulated_, *network_, {});
        const PeerId peer = simulated_.connect(newcomer->index(), talker.index());
        simulated_.run_for(1s);
        simulated_.send(simulated_.other_end(peer), message);
        simulated_.run_for(1s);
        EXPECT_TRUE(newcomer->has_reported(peer, ProtocolOffence::unsolicited));
    }
    EXPECT_EQ(newcomer->height(), 0U);
    EXPECT_EQ(newcomer->submissions, 0U);
}

TEST_F(SyncLiars, another_block_than_was_asked_for_is_unsolicited) {
    const auto blocks = mine(5);
    const auto liar = make_node(blocks);
    const auto newcomer = make_node();
    tamper<BlockMessage>(*liar, [&](BlockMessage& message) { message.block = *blocks[4]; });
    const PeerId peer = simulated_.connect(newcomer->index(), liar->index());
    simulated_.run_for(2s);
    EXPECT_TRUE(newcomer->has_reported(peer, ProtocolOffence::unsolicited));
}

TEST_F(SyncLiars, forged_headers_without_end_take_bounded_memory) {
    constexpr std::size_t kForgers = 3;
    constexpr std::uint64_t kClaimed = 1'000'000;
    const auto blocks = mine(10);
    const auto good = make_node(blocks);
    const auto newcomer = make_node();
    std::vector<std::unique_ptr<HeaderForge>> forges;
    std::vector<std::unique_ptr<ScriptedPeer>> forgers;
    std::size_t most = 0;
    for (std::uint32_t i = 0; i < kForgers; ++i) {
        // Two of them show the same chain.
        forges.push_back(std::make_unique<HeaderForge>(forge(i / 2)));
        TipClaim claim;
        claim.height = kClaimed;
        claim.id = test::hash_of(static_cast<std::uint8_t>(i + 1));
        claim.cumulative_work =
            chain::saturating_mul(chain::block_work(network_->genesis.header.tmpl.bits), kClaimed);
        forgers.push_back(std::make_unique<ScriptedPeer>(
            simulated_, *network_, claim,
            [this, forge = forges.back().get()](PeerId peer, const Message& message) {
                if (!std::holds_alternative<GetHeaders>(message)) return;
                simulated_.send(peer, Headers{forge->next(kMaxHeadersPerMessage)});
            }));
        simulated_.connect(newcomer->index(), forgers.back()->index());
        simulated_.run_for(1s);
        most = std::max(most, newcomer->status().headers_held);
    }
    EXPECT_EQ(most, 2 * kMaxHeadersPerMessage);
    for (const auto& forger : forgers) EXPECT_EQ(forger->count<GetHeaders>(), 1U);
    // Meanwhile, an honest chain with less work comes in.
    simulated_.connect(newcomer->index(), good->index());
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back()), 2s));
    // None of the forgers has a block.
    simulated_.run_for(60s);
    EXPECT_EQ(newcomer->reports.size(), kForgers);
    EXPECT_EQ(newcomer->status().headers_held, 0U);
}

// The chain with the most work is not the one that is fetched first if nobody sends it.
TEST_F(SyncLiars, chain_without_a_source_does_not_lead) {
    const auto blocks = mine(40);
    const auto good = make_node(blocks);
    const auto newcomer = make_node();
    HeaderForge forged = forge();
    const auto headers = forged.next(100);
    ScriptedPeer liar(simulated_, *network_, forged.claim(),
                      [&](PeerId peer, const Message& message) {
                          if (std::holds_alternative<GetHeaders>(message)) {
                              simulated_.send(peer, Headers{headers});
                          } else if (const auto* get = std::get_if<GetBlock>(&message)) {
                              simulated_.send(peer, NotFound{{{ItemKind::block, get->id}}});
                          }
                      });
    simulated_.connect(newcomer->index(), liar.index());
    simulated_.run_for(1s);
    EXPECT_EQ(newcomer->status().best_chain_headers, 100U);
    simulated_.connect(newcomer->index(), good->index());
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->height() == 5; }, 10s));
    EXPECT_EQ(newcomer->status().best_chain_headers, 35U);
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back()), 10s));
}

TEST_F(SyncLiars, peer_must_show_the_chain_that_it_was_surveyed_with) {
    const auto common = mine(3);
    const auto shorter = mine(30, common, 1);
    const auto longer = mine(40, common, 2);
    SyncLimits limits;
    limits.peer_headers = 8;
    const auto victim = make_node(common, limits);
    victim->take(shorter);
    const auto liar = make_node(common);
    liar->take(longer);
    std::size_t answers = 0;
    tamper<Headers>(*liar, [&](Headers& message) {
        // The first answer gives the path, the second the survey above it.
        if (++answers < 3) return;
        const chain::Hash256& parent = message.headers.front().tmpl.parent;
        HeaderForge forged(*network_, parent, **liar->ledger().index(parent));
        message.headers = forged.next(20);
    });
    const PeerId peer = simulated_.connect(victim->index(), liar->index());
    simulated_.run_for(5s);
    EXPECT_EQ(answers, 3U);
    EXPECT_TRUE(victim->has_reported(peer, ProtocolOffence::broken_headers));
    EXPECT_EQ(victim->tip(), id_of(shorter.back()));
    // What it had shown before is what the ledger has taken, and no more.
    EXPECT_LE(victim->times_received.size(), 8U);
}

TEST_F(SyncLiars, headers_of_ever_new_chains_are_checked_at_a_bounded_rate) {
    SyncLimits limits;
    limits.peer_headers = 100;
    limits.header_credit = 400;
    limits.header_credit_per_second = 10;
    const auto newcomer = make_node({}, limits);
    std::uint32_t seed = 0;
    std::size_t shown = 0;
    std::unique_ptr<HeaderForge> forged;
    ScriptedPeer forger(simulated_, *network_, {}, [&](PeerId peer, const Message& message) {
        if (std::holds_alternative<GetHeaders>(message)) {
            const auto headers = forged->next(99);
            shown += headers.size();
            simulated_.send(peer, Headers{headers});
        } else if (const auto* get = std::get_if<GetBlock>(&message)) {
            simulated_.send(peer, NotFound{{{ItemKind::block, get->id}}});
        }
    });
    const PeerId to_forger = simulated_.connect(newcomer->index(), forger.index());
    simulated_.run_for(1s);
    // It claims one new tip after the other, each with headers of a chain of its own, and takes
    // each claim back before it could be caught.
    for (int second = 0; second < 60; ++second) {
        forged = std::make_unique<HeaderForge>(forge(++seed));
        HeaderForge ahead = forge(seed);
        const auto headers = ahead.next(99);
        simulated_.send(simulated_.other_end(to_forger),
                        Announce{headers.back(), ahead.claim().cumulative_work});
        simulated_.run_for(500ms);
        EXPECT_LE(newcomer->status().headers_held, 100U);
        simulated_.send(simulated_.other_end(to_forger), Announce{headers.front(), {}});
        simulated_.run_for(500ms);
        EXPECT_EQ(newcomer->status().headers_held, 0U);
    }
    EXPECT_GE(shown, 400U);
    EXPECT_LE(shown, 400U + 61 * 10 + 99);
}

}  // namespace
}  // namespace gradient::node
