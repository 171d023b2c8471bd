#include "chain/base/codec.hpp"
#include "chain/consensus/block_rules.hpp"
#include "tests/support/tiny_chain.hpp"

#include <gtest/gtest.h>

namespace gradient::chain {
namespace {

// What a block's bytes alone tell; the rest of its rules is tried with ledgers.
class BlockRules : public testing::Test {
  protected:
    BlockRules()
        : params_(test::tiny_params()),
          trainer_(test::tiny_trainer()),
          block_(test::tiny_block(test::tiny_segment(params_, trainer_, 5))) {}

    void expect_refused(BlockError error) const {
        const auto checked = check_block_form(block_, params_);
        ASSERT_FALSE(checked.has_value()) << describe(error);
        EXPECT_EQ(checked.error(), error) << describe(checked.error());
        EXPECT_EQ(blame(checked.error()), Consequence::malformed);
    }

    ConsensusParams params_;
    model::Trainer trainer_;
    Block block_;
};

TEST_F(BlockRules, accept_an_honest_block) {
    EXPECT_TRUE(check_block_form(block_, params_).has_value());
}

TEST_F(BlockRules, reject_another_number_of_units_than_the_header_s) {
    block_.winner.digests.pop_back();
    expect_refused(BlockError::wrong_unit_count);
}

TEST_F(BlockRules, reject_too_many_bytes) {
    params_.max_block_bytes = static_cast<std::uint32_t>(encoded_size(block_));
    EXPECT_TRUE(check_block_form(block_, params_).has_value());
    --params_.max_block_bytes;
    expect_refused(BlockError::too_large);
}

TEST_F(BlockRules, reject_transactions_that_the_header_does_not_commit_to) {
    block_.transactions.emplace_back();
    expect_refused(BlockError::wrong_transaction_root);
}

TEST_F(BlockRules, a_block_survives_the_wire) {
    block_.listed.push_back({block_.header.tmpl, {test::hash_of(3)}, block_.winner});
    block_.transactions.push_back({ShareTransaction{block_.listed.front()}});
    block_.transactions.push_back({SignedTransaction{}});
    const Bytes bytes = encode(block_);
    const auto decoded = decode_exact<Block>(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, block_);
    EXPECT_EQ(decode_exact<Block>(ByteSpan(bytes).first(bytes.size() - 1)).error(),
              CodecError::truncated);
}

}  // namespace
}  // namespace gradient::chain
