// What the state keeps of past rounds, and for how long; and that a branch with shares leaves no
// trace when it is left.
#include "tests/support/share_chain.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace gradient::chain {
namespace {

class RoundWindow : public ShareChain {
  protected:
    static std::uint64_t number_in(const StateKey& key) {
        std::uint64_t number = 0;
        for (std::size_t i = 1; i <= 8; ++i) number = number << 8U | key[i];
        return number;
    }

    // After block n the rounds n - 4 to n are there, and nothing of an older one.
    void expect_window() const {
        std::set<std::uint64_t> rounds;
        std::set<std::uint64_t> archives;
        std::size_t contributions = 0;
        std::size_t segments = 0;
        std::size_t late = 0;
        scan([&](const StateKey& key, ByteSpan value) {
            switch (static_cast<EntryKind>(key.front())) {
                case EntryKind::round:
                    rounds.insert(number_in(key));
                    segments += decode_exact<Round>(value)->segments.size();
                    break;
                case EntryKind::archive:
                    archives.insert(number_in(key));
                    break;
                case EntryKind::contribution:
                    ++contributions;
                    EXPECT_GT(decode_exact<Contribution>(value)->round + 5, height());
                    break;
                case EntryKind::late:
                    ++late;
                    break;
                default:
                    break;
            }
        });
        std::set<std::uint64_t> expected;
        for (std::uint64_t round = height() > 4 ? height() - 4 : 1; round <= height(); ++round) {
            expected.insert(round);
        }
        EXPECT_EQ(rounds, expected) << "height " << height();
        EXPECT_EQ(archives, expected) << "height " << height();
        EXPECT_EQ(contributions, segments);
        EXPECT_EQ(late, entry<LateList>(late_list_key(kGenesisTask)).segments.size());
    }

    // The contents of a ledger that has seen nothing but the active chain.
    std::map<Bytes, Bytes> replayed() {
        auto store = std::make_unique<MemoryStore>();
        const MemoryStore& contents = *store;
        const auto linear = *Ledger::open(network_, std::move(store));
        for (std::uint64_t at = 1; at <= height(); ++at) {
            const auto block =
                std::make_shared<const Block>(**ledger_->block(**ledger_->id_at(at)));
            const auto outcome = linear->submit_block(block, block->header.tmpl.time_ms, trainers_);
            EXPECT_TRUE(outcome) << describe(outcome.error());
        }
        return test::contents(contents, test::kActiveTables);
    }
};

TEST_F(RoundWindow, rounds_archives_and_contributions_are_forgotten_after_five_blocks) {
    std::vector<SharedSegment> late;
    std::vector<SharedSegment> listed;
    for (int i = 0; i < 14; ++i) {
        const BlockTemplate next = work(listing(listed));
        const SharedSegment one = share_of(next, 1);
        const SharedSegment two = share_of(next, 2);
        auto contents = listing(listed);
        // One comes at once; the other one, two or three blocks late.
        if (late.size() == 4) {
            const std::vector<SharedSegment> old(late.begin(), late.begin() + 3);
            contents.transactions = late_transactions(old);
            late.erase(late.begin(), late.begin() + 3);
        }
        extend(std::move(contents));
        expect_window();
        listed = {one};
        late.push_back(two);
    }
    EXPECT_EQ(entry<Round>(round_key(height() - 4)).segments.size(), 3U);
}

TEST_F(RoundWindow, a_share_starts_from_what_the_archive_keeps_of_its_round) {
    // A share of a round whose theta_0 hangs on late entries, momentum and history that have
    // changed since, three blocks late.
    extend();
    const SharedSegment early = share(1);
    extend_by(3);
    extend(listing({}, {early}));
    const SharedSegment listed = share(2);
    extend();
    const SharedSegment last = share_of(work(listing({listed})), 3, 0, 5);
    extend(listing({listed}));
    extend_by(3);
    extend(listing({}, {last}));
    EXPECT_EQ(
        entry<Contribution>(contribution_key(entry<Round>(round_key(7)).segments.at(1).segment))
            .lateness,
        3U);
}

TEST_F(RoundWindow, a_reorganisation_over_shares_leaves_what_a_replay_leaves) {
    extend_by(2);
    const auto fork = ledger_->tip();
    const BlockTemplate on = work();
    const SharedSegment one = share_of(on, 1);
    const SharedSegment two = share_of(on, 2);
    const SharedSegment three = share_of(on, 3);
    extend();
    extend(listing({one}));
    const SharedSegment later = share(4);
    extend(listing({}, {two}));
    extend(listing({later}, {three}));
    EXPECT_EQ(test::contents(*store_, test::kActiveTables), replayed());
    const Hash256 left = ledger_->tip()->id();

    // The other branch has shares of its own, and two blocks more.
    auto parent = fork;
    SharedSegment share_there;
    for (int i = 0; i < 6; ++i) {
        const auto before = test::contents(*store_, test::kActiveTables);
        const SharedBlock block = block_of(work({}, 5, parent), 5);
        const auto outcome = submit(block);
        ASSERT_TRUE(outcome) << describe(outcome.error());
        if (*outcome == CommitOutcome::side_branch) {
            EXPECT_EQ(test::contents(*store_, test::kActiveTables), before);
        }
        parent = *ledger_->state_after(header_id(block->header));
    }
    ASSERT_EQ(ledger_->tip()->id(), parent->id());
    EXPECT_EQ(test::contents(*store_, test::kActiveTables), replayed());
    expect_window();
    expect_conserved();
    // Shares of round 3 are shares of this branch's round 3 as well: its lanes started on the fork.
    EXPECT_FALSE(verify(one));  // but it is too old
    // And back.
    parent = *ledger_->state_after(left);
    while (ledger_->tip()->id() != parent->id()) {
        const SharedBlock block = block_of(work({}, 6, parent), 6);
        ASSERT_TRUE(submit(block));
        parent = *ledger_->state_after(header_id(block->header));
    }
    EXPECT_EQ(test::contents(*store_, test::kActiveTables), replayed());
    expect_window();
    expect_conserved();
}

TEST_F(RoundWindow, shares_of_a_round_may_be_included_on_every_branch_that_ends_it) {
    extend();
    const auto fork = ledger_->tip();
    const SharedSegment one = share(1);
    extend();
    extend(listing({one}));
    auto parent = fork;
    for (int i = 0; i < 3; ++i) {
        const SharedBlock block = block_of(work({}, 5, parent), 5);
        ASSERT_TRUE(submit(block));
        parent = *ledger_->state_after(header_id(block->header));
    }
    ASSERT_EQ(ledger_->tip()->id(), parent->id());
    extend(listing({}, {one}));
    EXPECT_EQ(entry<Round>(round_key(2)).segments.size(), 2U);
    EXPECT_EQ(test::contents(*store_, test::kActiveTables), replayed());
}

}  // namespace
}  // namespace gradient::chain
