// Who is paid what, to the unit (chain/SPEC.md section 12), with the arithmetic written out; that
// no coin comes or goes is checked after every block.
#include "tests/support/share_chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace gradient::chain {
namespace {

// Every other hit wins, and a win is worth 40 coins.
constexpr std::uint64_t kHit = 20 * kCoin;
constexpr std::uint64_t kBlockReward = 10 * kCoin;

std::shared_ptr<const Network> network_with(std::uint64_t byte_fee) {
    ChainSpec spec = test::tiny_spec(4);
    spec.params.byte_fee = Amount::from_units(byte_fee).value();
    return *make_network(spec);
}

class SharePay : public ShareChain {
  protected:
    explicit SharePay(std::shared_ptr<const Network> network = test::tiny_network(4))
        : ShareChain(std::move(network)) {}

    struct Parts {
        std::uint64_t emission, fee, cut;
    };
    // Of a segment that stands in the state.
    Parts parts(const Hash256& id, std::uint64_t openings, std::uint64_t bytes,
                std::uint64_t late) const {
        const auto one = entry<Contribution>(contribution_key(id));
        EXPECT_EQ(one.lateness, late);
        const std::uint64_t full =
            one.hits * kHit * std::min<std::uint64_t>(one.paid_units, 128) / 128;
        const std::uint64_t emission = full * (4 - late) / 4;
        const std::uint64_t fee = params().byte_fee.units() * bytes + 10'000 * openings;
        return {emission, std::min(fee, emission), emission / 16};
    }
    Parts parts(const SharedSegment& share, std::uint64_t late) const {
        return parts(id_of(share), share->body.openings.size(), encoded_size(*share), late);
    }
    Hash256 id_of(const SharedSegment& share) const {
        for (const RoundSegment& one : entry<Round>(round_key(share->tmpl.height)).segments) {
            if (one.template_hash == template_hash(share->tmpl)) return one.segment;
        }
        return {};
    }
    MaturingPay earned() const {
        return entry<MaturingPay>(maturing_pay_key(height() + params().maturity_blocks));
    }
    std::uint64_t winner_emission() const {
        return parts(entry<PendingRound>(pending_round_key()).winner, 0, 0, 0).emission;
    }
    static Amount units(std::uint64_t number) { return Amount::from_units(number).value(); }

    // One late share alone in a block.
    void expect_late_pay(const SharedSegment& share, std::uint64_t late, std::uint8_t miner) {
        const Amount before = entry<Totals>(totals_key()).minted;
        extend(listing({}, {share}));
        const Parts its = parts(share, late);
        const MaturingPay pay = earned();
        ASSERT_EQ(pay.pays.size(), 3U);
        EXPECT_EQ(pay.pays[0], (Pay{address(miner), units(its.emission - its.fee), id_of(share)}));
        EXPECT_EQ(pay.pays[1].amount, units(winner_emission()));
        EXPECT_EQ(pay.pays[2], (Pay{address(7), units(kBlockReward + its.fee + its.cut), {}}));
        EXPECT_EQ(entry<Totals>(totals_key()).minted.units() - before.units(),
                  its.emission + its.cut + winner_emission() + kBlockReward);
    }
};

TEST_F(SharePay, listed_shares_then_the_winner_then_who_includes) {
    extend();
    const SharedSegment a = share(1, 0, 20);
    const SharedSegment b = share(2);
    extend();
    extend(listing({b, a}));
    const MaturingPay pay = earned();
    ASSERT_EQ(pay.pays.size(), 4U);
    const Parts of_a = parts(a, 0);
    const Parts of_b = parts(b, 0);
    EXPECT_EQ(pay.pays[0], (Pay{address(2), units(of_b.emission - of_b.fee), id_of(b)}));
    EXPECT_EQ(pay.pays[1], (Pay{address(1), units(of_a.emission - of_a.fee), id_of(a)}));
    EXPECT_EQ(pay.pays[2], (Pay{address(7), units(winner_emission()),
                                entry<PendingRound>(pending_round_key()).winner}));
    EXPECT_EQ(
        pay.pays[3],
        (Pay{address(7), units(kBlockReward + of_a.fee + of_a.cut + of_b.fee + of_b.cut), {}}));
    // And matures three blocks later, when its segments can't be accused any more.
    EXPECT_EQ(entry<IncludedSegment>(segment_key(id_of(a))).height, height());
    const Hash256 id = id_of(a);
    extend_by(2);
    EXPECT_TRUE(balance(1).is_zero());
    extend();
    EXPECT_EQ(balance(1), units(of_a.emission - of_a.fee));
    EXPECT_EQ(balance(2), units(of_b.emission - of_b.fee));
    EXPECT_FALSE(read_entry<IncludedSegment>(state(), segment_key(id)).value());
}

TEST_F(SharePay, a_share_loses_a_quarter_with_each_block_that_it_comes_late) {
    extend();
    const BlockTemplate on = work();
    std::vector<SharedSegment> shares;
    for (std::uint8_t miner = 1; miner <= 4; ++miner) {
        shares.push_back(share_of(on, miner, 0, 10));
    }
    extend_by(2);
    expect_late_pay(shares[0], 1, 1);
    expect_late_pay(shares[1], 2, 2);
    expect_late_pay(shares[2], 3, 3);
    refuses_late(shares[3], SegmentError::unknown_round);
}

TEST_F(SharePay, late_shares_enter_the_next_settlement_of_their_task) {
    extend();
    const BlockTemplate on = work();
    const SharedSegment a = share_of(on, 1);
    const SharedSegment b = share_of(on, 2);
    extend_by(2);
    const auto progress = [&] { return entry<TaskProgress>(progress_key(kGenesisTask)); };
    const std::uint64_t before = progress().segments;
    extend(listing({}, {b, a}));
    EXPECT_EQ(progress().segments, before + 1);
    EXPECT_EQ(entry<LateList>(late_list_key(kGenesisTask)).segments,
              (std::vector{id_of(b), id_of(a)}));
    EXPECT_EQ(entry<Contribution>(late_key(id_of(a))),
              entry<Contribution>(contribution_key(id_of(a))));
    extend();
    EXPECT_EQ(progress().segments, before + 4);
    EXPECT_FALSE(read_entry<LateList>(state(), late_list_key(kGenesisTask)).value());
    scan([&](const StateKey& key, ByteSpan) {
        EXPECT_NE(key.front(), static_cast<std::uint8_t>(EntryKind::late));
    });
}

class DearBytes : public SharePay {
  protected:
    DearBytes() : SharePay(network_with(1'000'000)) {}
};

TEST_F(DearBytes, the_fee_takes_no_more_than_the_emission) {
    extend();
    const SharedSegment one = share(1);
    extend();
    extend(listing({one}));
    const Parts its = parts(one, 0);
    EXPECT_EQ(its.fee, its.emission);
    ASSERT_EQ(earned().pays.size(), 3U);
    EXPECT_EQ(earned().pays[0], (Pay{address(1), Amount(), id_of(one)}));
    EXPECT_EQ(earned().pays[2].amount, units(kBlockReward + its.emission + its.cut));
    // Paid or not, it can be accused.
    EXPECT_EQ(entry<IncludedSegment>(segment_key(id_of(one))).miner,
              test::tiny_key(1).public_key());
}

TEST_F(SharePay, fees_of_transactions_are_who_includes_them) {
    extend_by(4);
    const Transaction gift = sign(7, Transfer{address(8), Amount::of_coins(1)});
    extend({{}, {gift}}, 9);
    const MaturingPay pay = earned();
    ASSERT_EQ(pay.pays.size(), 2U);
    EXPECT_EQ(pay.pays[1], (Pay{address(9), units(kBlockReward + fee_of(gift).units()), {}}));
    EXPECT_EQ(balance(8), Amount::of_coins(1));
}

}  // namespace
}  // namespace gradient::chain
