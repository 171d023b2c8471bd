// Judging a chain by its tail and by samples: honest chains are believed, and each lie is found by
// its own reason.
#include "chain/light/history_judge.hpp"
#include "chain/light/history_proofs.hpp"
#include "tests/support/chain_store.hpp"
#include "tests/support/history_teller.hpp"
#include "tests/support/share_chain.hpp"
#include "tests/support/small_network.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>

namespace gradient::chain {
namespace {

using test::HistoryTeller;

constexpr int kBlocks = 280;  // 80 below the tail

// One chain for all tests: they read only.
struct SharedChain {
    std::shared_ptr<const Network> network = test::small_network(2);
    OwnTrainers trainers;
    std::unique_ptr<Ledger> ledger = *Ledger::open(network, std::make_unique<MemoryStore>());
    SharedChain() {
        for (int i = 0; i < kBlocks; ++i) {
            CHECK(test::grow(*ledger, ledger->tip()->id(), trainers));
        }
    }
};
SharedChain& shared() {
    static SharedChain chain;
    return chain;
}

class LightHistory : public testing::Test {
  protected:
    Ledger& ledger() { return *shared().ledger; }
    std::uint64_t now() { return ledger().tip()->index().header.tmpl.time_ms; }

    Result<BelievedHistory, HistoryFailure> judge(HistoryTeller& teller,
                                                  const HistoryClaim& claim) {
        HistoryJudge judge(test::light_network(*shared().network), claim, test::hash_of(5), now());
        return teller.run(judge, shared().trainers);
    }
    void expect_refused(HistoryTeller& teller, const HistoryFailure& expected,
                        std::optional<HistoryClaim> claim = {}) {
        const auto verdict = judge(teller, claim.value_or(teller.claim()));
        ASSERT_FALSE(verdict) << "believed: " << describe(expected);
        EXPECT_EQ(verdict.error(), expected)
            << describe(verdict.error()) << " / " << describe(expected);
    }
    void tail_refused(const HistoryFailure& expected,
                      const std::function<void(HistoryTail&)>& change) {
        HistoryTeller teller{ledger()};
        teller.change_tail = change;
        expect_refused(teller, expected);
        EXPECT_EQ(teller.jobs, 0U);
    }
    void sample_refused(const HistoryFailure& expected,
                        const std::function<void(HistorySample&)>& change) {
        HistoryTeller teller{ledger()};
        teller.change_samples = [&](auto& samples) { change(samples[3]); };
        expect_refused(teller, expected);
        EXPECT_EQ(teller.jobs, 0U);
    }
};

TEST_F(LightHistory, an_honest_chain_is_believed) {
    HistoryTeller teller{ledger()};
    const auto verdict = judge(teller, teller.claim());
    ASSERT_TRUE(verdict) << describe(verdict.error());
    EXPECT_EQ(verdict->tip, ledger().tip()->id());
    EXPECT_EQ(verdict->cumulative_work, ledger().tip()->index().cumulative_work);
    EXPECT_EQ(verdict->samples, kMinSamples);
    EXPECT_GT(verdict->replays, kTailBlocks);
    EXPECT_LE(verdict->replays, kTailBlocks + kMinSamples);
    EXPECT_EQ(teller.jobs, verdict->replays);
}

TEST_F(LightHistory, every_length_is_believed) {
    for (const std::uint64_t height : {1U, 2U, 3U, 199U, 200U, 201U, 202U, 255U, 256U, 257U}) {
        const auto index = **ledger().index(**ledger().id_at(height));
        HistoryTeller teller{ledger()};
        const auto verdict =
            judge(teller, {height, header_id(index.header), index.cumulative_work});
        ASSERT_TRUE(verdict) << height << ": " << describe(verdict.error());
        EXPECT_EQ(verdict->samples, height > kTailBlocks ? kMinSamples : 0U);
        EXPECT_GE(verdict->replays, std::min<std::uint64_t>(height, kTailBlocks));
    }
}

TEST_F(LightHistory, what_a_holder_does_not_have_is_not_told) {
    const Hash256 tip = ledger().tip()->id();
    EXPECT_FALSE(*ledger().tail(test::hash_of(1), 200));
    EXPECT_FALSE(*ledger().tail(shared().network->genesis.id, 200));
    EXPECT_FALSE(*ledger().tail(tip, 0));
    EXPECT_EQ((**ledger().tail(tip, 7)).headers.size(), 7U);
    const U256 all = ledger().tip()->index().cumulative_work;
    EXPECT_FALSE(*ledger().samples(test::hash_of(1), std::vector{U256(1)}));
    EXPECT_FALSE(*ledger().samples(tip, std::vector{U256(0)}));  // genesis
    EXPECT_FALSE(*ledger().samples(tip, std::vector{all}));
    const Hash256 below = **ledger().id_at(kBlocks - 1);
    const U256 last = *checked_sub((**ledger().index(below)).cumulative_work, U256(1));
    const auto samples = **ledger().samples(tip, std::vector{last});
    EXPECT_EQ(header_id(samples.front().header), below);
}

TEST_F(LightHistory, lies_about_the_tail_are_found) {
    tail_refused(HistoryFault::wrong_tail, [](auto& tail) { tail.headers.pop_back(); });
    tail_refused(HistoryFault::wrong_tail, [](auto& tail) { tail.headers.clear(); });
    tail_refused(HistoryFault::wrong_tail,
                 [](auto& tail) { tail.headers.erase(tail.headers.begin()); });
    tail_refused(HistoryFault::wrong_tail, [&](auto& tail) {
        tail.below = (**ledger().index(tail.headers.front().tmpl.parent)).history;
        CHECK(tail.below.append({test::hash_of(1), tail.below.leaf_count(), now() + 1,
                                 tail.below.peaks().back().work_after, U256::max()}));
    });
    tail_refused(HistoryFault::wrong_genesis,
                 [](auto& tail) { tail.genesis.siblings[0].hash.bytes[0] ^= 1; });
    tail_refused(HistoryFault::wrong_genesis, [](auto& tail) { tail.genesis.leaf_index = 1; });
    tail_refused(HistoryFault::wrong_parent_place, [](auto& tail) { ++tail.parent.tmpl.time_ms; });
    tail_refused(HistoryFault::wrong_parent_place, [](auto& tail) { tail.parent.tmpl.bits = 0; });
    tail_refused(HistoryFault::wrong_parent_place,
                 [](auto& tail) { --tail.parent_place.leaf_index; });
    tail_refused(HeaderError::wrong_parent,
                 [](auto& tail) { tail.headers[7].tmpl.parent.bytes[0] ^= 1; });
    tail_refused(HeaderError::wrong_parent, [](auto& tail) { ++tail.headers[7].tmpl.lane; });
    tail_refused(HeaderError::wrong_height, [](auto& tail) { ++tail.headers[7].tmpl.height; });
    tail_refused(HeaderError::unknown_version, [](auto& tail) { ++tail.headers[7].tmpl.version; });
    tail_refused(HeaderError::time_not_after_parent,
                 [](auto& tail) { tail.headers[7].tmpl.time_ms = 0; });
    tail_refused(HeaderError::wrong_bits, [](auto& tail) { --tail.headers[7].tmpl.bits; });
    tail_refused(HeaderError::wrong_history_root,
                 [](auto& tail) { tail.headers[7].tmpl.history_root.bytes[0] ^= 1; });
    tail_refused(HeaderError::ticket_above_target, [&](auto& tail) {
        Header& header = tail.headers[7];
        while (check_claim(header, shared().network->task->unit_work, shared().network->params())) {
            ++header.last_digest.bytes[0];
        }
    });
}

TEST_F(LightHistory, lies_about_the_claim_are_found) {
    HistoryTeller teller{ledger()};
    HistoryClaim claim = teller.claim();
    ++claim.height;
    expect_refused(teller, HistoryFault::wrong_tail, claim);
    claim.height = 0;
    expect_refused(teller, HistoryFault::wrong_tail, claim);
    claim = teller.claim();
    claim.cumulative_work = *checked_add(claim.cumulative_work, U256(1));
    expect_refused(teller, HistoryFault::wrong_work, claim);
    claim = teller.claim();
    HistoryJudge judge(test::light_network(*shared().network), claim, test::hash_of(5),
                       now() - shared().network->params().max_future_ms - 1);
    const auto verdict = teller.run(judge, shared().trainers);
    EXPECT_EQ(verdict.error(), HistoryFailure(HeaderError::time_too_far));
    EXPECT_FALSE(is_lie(verdict.error()));
    // Another network's genesis.
    LightNetwork other = test::light_network(*shared().network);
    ++other.genesis.tmpl.lane;
    HistoryJudge stranger(other, claim, test::hash_of(5), now());
    EXPECT_EQ(teller.run(stranger, shared().trainers).error(),
              HistoryFailure(HistoryFault::wrong_genesis));
}

TEST_F(LightHistory, lies_about_samples_are_found) {
    HistoryTeller teller{ledger()};
    teller.change_samples = [](auto& samples) { samples.pop_back(); };
    expect_refused(teller, HistoryFault::wrong_sample_count);

    sample_refused(HistoryFault::wrong_sample, [](auto& its) { its.work_before = U256(0); });
    sample_refused(HistoryFault::wrong_sample, [](auto& its) { its.work_before = U256::max(); });
    // An honest sample of another block.
    sample_refused(HistoryFault::wrong_sample, [&](auto& its) {
        const Hash256 anchor = **ledger().id_at(kBlocks - kTailBlocks + 1);
        const U256 start = block_work(shared().network->genesis.header.tmpl.bits);
        const bool first = its.header.tmpl.height == 1;
        const U256 work = first ? *checked_add(start, block_work(its.header.tmpl.bits)) : start;
        its = (**ledger().samples(anchor, std::vector{work})).front();
    });
    // A work range of its own invention around the value asked for.
    sample_refused(HistoryFault::wrong_place,
                   [](auto& its) { its.work_before = *checked_add(its.work_before, U256(1)); });
    sample_refused(HistoryFault::wrong_place, [](auto& its) { ++its.header.tmpl.lane; });
    sample_refused(HistoryFault::wrong_place, [](auto& its) { ++its.place.leaf_index; });
    sample_refused(HistoryFault::wrong_place, [](auto& its) { ++its.place.leaf_count; });
    sample_refused(HistoryFault::wrong_place,
                   [](auto& its) { its.place.siblings[0].hash.bytes[0] ^= 1; });
    sample_refused(HistoryFault::wrong_parent_place,
                   [](auto& its) { --its.parent_place.leaf_count; });
    sample_refused(HistoryFault::wrong_parent_place,
                   [](auto& its) { its.parent_place.leaf_index ^= 1; });
    sample_refused(HeaderError::wrong_parent, [](auto& its) { ++its.parent.tmpl.lane; });
    sample_refused(HeaderError::no_units, [](auto& its) { its.header.units = 0; });
    sample_refused(HeaderError::wrong_bits, [](auto& its) { --its.header.tmpl.bits; });
    sample_refused(HistoryFault::wrong_prefix, [](auto& its) { --its.prefix.old_count; });
    sample_refused(HistoryFault::wrong_prefix, [](auto& its) { ++its.prefix.new_count; });
    sample_refused(HistoryFault::wrong_prefix,
                   [](auto& its) { its.prefix.subtrees.back().hash.bytes[0] ^= 1; });
}

TEST_F(LightHistory, one_false_evidence_is_enough) {
    std::size_t asked = 0;
    HistoryTeller teller{ledger()};
    teller.change_evidence = [&](const auto&, auto& evidence) {
        if (++asked == 100) ++evidence.loss;
    };
    const auto verdict = judge(teller, teller.claim());
    const bool found = verdict.error() == HistoryFailure(EvidenceError::replay_differs) ||
                       verdict.error() == HistoryFailure(EvidenceError::bad_start);
    EXPECT_TRUE(found) << describe(verdict.error());
    EXPECT_LT(asked, 100 + kOpenEvidence);
}

// Every block that the judge has wanted is asked for its evidence: what the tail holds, and
// samples.
TEST_F(LightHistory, the_tail_and_all_samples_are_replayed) {
    std::set<Hash256> sampled;
    std::set<Hash256> asked;
    HistoryTeller teller{ledger()};
    teller.change_samples = [&](auto& samples) {
        for (const auto& one : samples) sampled.insert(header_id(one.header));
    };
    teller.change_evidence = [&](const Hash256& id, auto&) { asked.insert(id); };
    ASSERT_TRUE(judge(teller, teller.claim()));
    for (const Hash256& id : sampled) EXPECT_TRUE(asked.contains(id));
    for (std::uint64_t height = kBlocks - kTailBlocks + 1; height <= kBlocks; ++height) {
        EXPECT_TRUE(asked.contains(**ledger().id_at(height))) << height;
    }
    EXPECT_EQ(asked.size(), sampled.size() + kTailBlocks);
    EXPECT_GT(sampled.size(), 20U);
}

// -------------------------------------------------------------------------------------- user tasks

constexpr std::uint8_t kOwner = 8;  // never mines

class LightTasks : public ShareChain {
  protected:
    void SetUp() override {
        extend_by(14);
        extend({{}, {sign(7, Transfer{address(kOwner), Amount::of_coins(100)})}});
        const Bytes text = test::random_letters(70'000, 1);
        CreateTask made;
        made.shape = test::cheapest_text_shape();
        made.data_bytes = text.size();
        made.chunks = test::chunk_ids(text);
        made.unit_budget = 1'000'000;
        made.pay_per_hit = Amount::of_coins(1);
        made.escrow = Amount::of_coins(50);
        std::vector<Transaction> transactions;
        for (std::uint64_t i = 0; i < chunk_count(text.size()); ++i) {
            const ByteSpan chunk = chunk_of(text, i);
            transactions.push_back(sign(kOwner, PublishData{{chunk.begin(), chunk.end()}}, i));
        }
        transactions.push_back(sign(kOwner, made, transactions.size()));
        extend({{}, std::move(transactions)});
        int theirs = 0;
        while (theirs < 3) {
            theirs += ledger_->tip()->context().task == 1 ? 1 : 0;
            extend();
        }
    }
    Result<BelievedHistory, HistoryFailure> judge(HistoryTeller& teller) {
        HistoryJudge judge(test::light_network(*network_), teller.claim(), test::hash_of(5),
                           ledger_->tip()->context().time_ms);
        return teller.run(judge, trainers_);
    }
    void expect_refused(HistoryTeller& teller, const HistoryFailure& expected) {
        const auto verdict = judge(teller);
        ASSERT_FALSE(verdict);
        EXPECT_EQ(verdict.error(), expected) << describe(verdict.error());
    }
};

TEST_F(LightTasks, are_judged_by_data_that_is_fetched_once) {
    HistoryTeller teller{*ledger_};
    std::size_t chunks = 0;
    teller.change_chunk = [&](auto&) { ++chunks; };
    const auto verdict = judge(teller);
    ASSERT_TRUE(verdict) << describe(verdict.error());
    EXPECT_EQ(verdict->replays, height());
    EXPECT_EQ(chunks, 2U);
    EXPECT_EQ(teller.jobs, height() + 1);
}

TEST_F(LightTasks, lies_about_tasks_are_found) {
    HistoryTeller data{*ledger_};
    data.change_chunk = [](Bytes& chunk) { chunk[5] ^= 1; };
    expect_refused(data, EvidenceError::bad_data);
    HistoryTeller size{*ledger_};
    size.change_chunk = [](Bytes& chunk) { chunk.pop_back(); };
    expect_refused(size, HistoryFault::wrong_chunk);
    HistoryTeller proof{*ledger_};
    proof.change_evidence = [](const auto&, auto& evidence) { evidence.task.reset(); };
    expect_refused(proof, EvidenceError::wrong_task_proof);
}

}  // namespace
}  // namespace gradient::chain
