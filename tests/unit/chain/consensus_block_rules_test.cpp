#include "chain/base/codec.hpp"
#include "chain/consensus/block_rules.hpp"
#include "tests/support/tiny_chain.hpp"

#include <gtest/gtest.h>

namespace gradient::chain {
namespace {

class BlockRules : public testing::Test {
  protected:
    BlockRules()
        : params_(test::tiny_params()),
          parent_(test::tiny_parent(params_)),
          trainer_(test::tiny_trainer()),
          block_(test::tiny_block(test::tiny_segment(params_, trainer_, 5))),
          context_{test::hash_of(0x33), LaneStart(test::tiny_parameters())} {}

    Result<CheckedBlock, RuleError> check() const {
        const auto header =
            validate_header(block_.header, parent_, params_, block_.header.tmpl.time_ms);
        CHECK(header);
        return check_block(*header, std::make_shared<const Block>(block_), context_, params_);
    }

    template <class Error>
    void expect_refused(Error error) const {
        const std::vector<std::int32_t> before = *context_.start.parameters;
        const auto checked = check();
        ASSERT_FALSE(checked.has_value()) << describe(error);
        EXPECT_EQ(checked.error(), RuleError(error)) << describe(checked.error());
        EXPECT_EQ(*context_.start.parameters, before);
    }

    // A template's roots are part of every digest, so a block with other roots is mined anew.
    void mine(const std::function<void(Template&)>& change) {
        for (std::uint32_t number = 0;; ++number) {
            Template tmpl = test::tiny_template(params_, number);
            change(tmpl);
            Lane lane(tmpl, {}, context_.start, test::tiny_targets(params_), params_.work);
            test::run_to_win(lane, trainer_);
            const auto built = build_segment(lane, test::tiny_key(), trainer_);
            CHECK(built);
            block_ = test::tiny_block(*built);
            return;
        }
    }

    ConsensusParams params_;
    ParentContext parent_;
    model::Trainer trainer_;
    Block block_;
    BlockContext context_;
};

TEST_F(BlockRules, accept_an_honest_block) {
    const auto checked = check();
    ASSERT_TRUE(checked.has_value()) << describe(checked.error());
    const auto proven = verify_block(*checked, trainer_);
    ASSERT_TRUE(proven.has_value()) << describe(proven.error());
    EXPECT_EQ(proven->id(), header_id(block_.header));
    EXPECT_EQ(proven->winner().units(), block_.header.units);
    EXPECT_EQ(proven->block(), block_);
}

TEST_F(BlockRules, join_replays_from_elsewhere) {
    const auto checked = check();
    ASSERT_TRUE(checked.has_value());
    std::vector<ReplayedUnit> replays;
    for (std::size_t i = 0; i < checked->winner().opening_count(); ++i) {
        replays.push_back(*replay_opening(checked->winner(), i, trainer_));
    }
    EXPECT_TRUE(prove_block(*checked, replays).has_value());
    replays.pop_back();
    EXPECT_EQ(prove_block(*checked, replays).error(), RuleError(SegmentError::replay_missing));
}

TEST_F(BlockRules, reject_another_number_of_units_than_the_header_s) {
    block_.winner.digests.pop_back();
    expect_refused(BlockError::wrong_unit_count);
}

TEST_F(BlockRules, reject_too_many_bytes) {
    params_.max_block_bytes = static_cast<std::uint32_t>(encoded_size(block_));
    EXPECT_TRUE(check().has_value());
    --params_.max_block_bytes;
    expect_refused(BlockError::too_large);
}

TEST_F(BlockRules, reject_transactions_that_the_header_does_not_commit_to) {
    block_.transactions.push_back({{1, 2, 3}});
    expect_refused(BlockError::wrong_transaction_root);
}

TEST_F(BlockRules, reject_any_transaction) {
    const std::vector<Transaction> transactions{{{1, 2, 3}}};
    mine([&](Template& tmpl) { tmpl.transaction_root = transaction_root(transactions); });
    expect_refused(BlockError::wrong_transaction_root);  // body without it
    block_.transactions = transactions;
    expect_refused(BlockError::unexpected_transaction);
}

TEST_F(BlockRules, reject_listed_segments) {
    const Segment share{block_.header.tmpl, {}, block_.winner};
    block_.listed.push_back(share);
    expect_refused(BlockError::wrong_settle_root);  // the header commits to none
    const std::vector<Hash256> ids{test::hash_of(5)};
    mine([&](Template& tmpl) { tmpl.settle_root = settle_root(ids); });
    expect_refused(BlockError::unexpected_segment);
}

TEST_F(BlockRules, reject_wrong_state_root) {
    mine([](Template& tmpl) { tmpl.state_root.bytes[0] ^= 1; });
    expect_refused(BlockError::wrong_state_root);
}

TEST_F(BlockRules, reject_another_winner_s_segment) {
    const Block honest = block_;
    mine([](Template& tmpl) { tmpl.lane = 1000; });
    block_.header.units = honest.header.units;
    block_.winner = honest.winner;
    expect_refused(SegmentError::wrong_last_digest);
}

TEST_F(BlockRules, reject_what_the_segment_rules_reject) {
    block_.winner.signature.bytes[0] ^= 1;
    expect_refused(SegmentError::bad_signature);
    EXPECT_EQ(blame(check().error()), Consequence::malformed);
    block_.winner.signature.bytes[0] ^= 1;
    block_.winner.openings.pop_back();
    expect_refused(SegmentError::missing_hit);
}

TEST_F(BlockRules, a_block_survives_the_wire) {
    const Bytes bytes = encode(block_);
    const auto decoded = decode_exact<Block>(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, block_);
    EXPECT_EQ(decode_exact<Block>(ByteSpan(bytes).first(bytes.size() - 1)).error(),
              CodecError::truncated);
}

}  // namespace
}  // namespace gradient::chain
