#include "chain/state/state_diff.hpp"

#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "tests/support/memory_state.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <utility>

namespace gradient::chain {
namespace {

StateValue value(Bytes bytes) {
    return std::make_shared<const Bytes>(std::move(bytes));
}

TEST(State, reads_through_to_the_view) {
    MemoryState base;
    base.apply({{{{1}, value({10})}}});
    State state(base);
    EXPECT_EQ(**state.get({1}), Bytes{10});
    EXPECT_EQ(*state.get({2}), nullptr);
}

// A view that counts how often it is read.
class CountingState final : public StateView {
  public:
    Result<StateValue, StoreError> get(const StateKey& key) const override {
        ++reads;
        return entries.get(key);
    }
    MemoryState entries;
    mutable int reads = 0;
};

TEST(State, reads_no_entry_twice) {
    CountingState base;
    base.entries.apply({{{{1}, value({10})}}});
    State state(base);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(**state.get({1}), Bytes{10});
        EXPECT_EQ(*state.get({2}), nullptr);
    }
    EXPECT_EQ(base.reads, 2);
    const auto checkpoint = state.checkpoint();
    state.set({1}, value({11}));
    state.rollback(checkpoint);
    EXPECT_EQ(**state.get({1}), Bytes{10});
    state.set({2}, value({20}));
    EXPECT_EQ(*state.diff(), (StateDiff{{{{2}, value({20})}}}));
    EXPECT_EQ(base.reads, 2);
    state.erase({3});
    EXPECT_EQ(state.diff()->writes.size(), 1U);
    EXPECT_EQ(base.reads, 3);
}

TEST(State, changes_stay_in_the_overlay_until_applied) {
    MemoryState base;
    base.apply({{{{1}, value({10})}}});
    State state(base);
    state.set({1}, value({11}));
    state.erase({1});
    state.set({2}, value({20}));
    EXPECT_EQ(*state.get({1}), nullptr);
    EXPECT_EQ(**base.get({1}), Bytes{10});
    const StateDiff diff = *state.diff();
    EXPECT_EQ(diff, (StateDiff{{{{1}, nullptr}, {{2}, value({20})}}}));
}

TEST(State, diff_leaves_out_what_ended_as_it_began) {
    MemoryState base;
    base.apply({{{{1}, value({10})}}});
    State state(base);
    state.erase({1});
    state.set({1}, value({10}));
    state.set({2}, value({20}));
    state.erase({2});
    EXPECT_EQ(*state.diff(), StateDiff{});
}

TEST(State, keeps_no_old_value_before_the_first_checkpoint) {
    MemoryState base;
    State state(base);
    const auto is_kept_when_replaced = [&] {
        StateValue old = value({1});
        const std::weak_ptr<const Bytes> watch = old;
        state.set({1}, std::move(old));
        state.set({1}, value({2}));
        return !watch.expired();
    };
    EXPECT_FALSE(is_kept_when_replaced());
    (void)state.checkpoint();
    EXPECT_TRUE(is_kept_when_replaced());
}

TEST(State, rollback_undoes_exactly_what_came_after_the_checkpoint) {
    std::mt19937_64 random(7);
    for (int run = 0; run < 200; ++run) {
        MemoryState base;
        base.apply({{{{0}, value({1})}, {{1}, value({2})}}});
        State state(base);
        const auto change = [&] {
            const StateKey key{static_cast<std::uint8_t>(random() % 4)};
            state.set(key,
                      random() % 3 == 0 ? nullptr : value({static_cast<std::uint8_t>(random())}));
        };
        for (std::uint64_t i = random() % 6; i > 0; --i) change();
        const auto checkpoint = state.checkpoint();
        const StateDiff before = *state.diff();
        for (std::uint64_t i = random() % 6; i > 0; --i) change();
        state.rollback(checkpoint);
        ASSERT_EQ(*state.diff(), before);
    }
}

TEST(StateDiff, inverse_leads_back) {
    MemoryState state;
    state.apply({{{{1}, value({1})}, {{2}, value({2})}}});
    const auto before = state.entries();
    const StateDiff diff{{{{1}, nullptr}, {{2}, value({3})}, {{3}, value({4})}}};
    const StateDiff inverse = *invert(diff, state);
    state.apply(diff);
    EXPECT_EQ(*invert(inverse, state), diff);
    state.apply(inverse);
    EXPECT_EQ(state.entries(), before);
}

TEST(StateDiff, combination_does_what_its_parts_do_in_turn) {
    const StateDiff first{{{{1}, value({1})}, {{2}, value({2})}}};
    const StateDiff second{{{{2}, nullptr}, {{3}, value({3})}}};
    CombinedDiff both;
    both.add(first);
    both.add(second);
    EXPECT_EQ(std::move(both).take(),
              (StateDiff{{{{1}, value({1})}, {{2}, nullptr}, {{3}, value({3})}}}));
    EXPECT_EQ(CombinedDiff().take(), StateDiff{});
}

TEST(StateDiff, overlay_shows_the_diff_on_top) {
    MemoryState base;
    base.apply({{{{1}, value({1})}, {{2}, value({2})}}});
    const OverlayView overlay(base, {{{{2}, nullptr}, {{3}, value({3})}}});
    EXPECT_EQ(**overlay.get({1}), Bytes{1});
    EXPECT_EQ(*overlay.get({2}), nullptr);
    EXPECT_EQ(**overlay.get({3}), Bytes{3});
    EXPECT_EQ(*overlay.get({4}), nullptr);
}

TEST(StateDiff, survives_the_codec) {
    const StateDiff diff{{{{1}, nullptr}, {{2}, value({})}, {{2, 1}, value({4, 5})}}};
    const Bytes encoded = encode(diff);
    EXPECT_EQ(encoded, (Bytes{3, 1, 1, 0, 1, 2, 1, 0, 2, 2, 1, 1, 2, 4, 5}));
    EXPECT_EQ(*decode_exact<StateDiff>(encoded), diff);
}

TEST(StateDiff, keys_out_of_order_do_not_decode) {
    EXPECT_EQ(decode_exact<StateDiff>(Bytes{2, 1, 2, 0, 1, 1, 0}).error(), CodecError::bad_value);
    EXPECT_EQ(decode_exact<StateDiff>(Bytes{2, 1, 1, 0, 1, 1, 0}).error(), CodecError::bad_value);
}

TEST(Entries, keys_are_pinned) {
    EXPECT_EQ(maturing_pay_key(0x0102), (StateKey{2, 0, 0, 0, 0, 0, 0, 1, 2}));
    EXPECT_EQ(task_key(7), (StateKey{3, 0, 0, 0, 7}));
    EXPECT_EQ(progress_key(7), (StateKey{4, 0, 0, 0, 7}));
    EXPECT_EQ(model_key(7), (StateKey{5, 0, 0, 0, 7}));
    EXPECT_EQ(pending_round_key(), StateKey{6});
    EXPECT_EQ(totals_key(), StateKey{8});
    EXPECT_EQ(task_account_key(7), (StateKey{11, 0, 0, 0, 7}));
    EXPECT_EQ(task_list_key(), StateKey{12});
    EXPECT_EQ(momentum_key(7), (StateKey{13, 0, 0, 0, 7}));
    EXPECT_EQ(round_key(7), (StateKey{17, 0, 0, 0, 0, 0, 0, 0, 7}));
    EXPECT_EQ(archive_key(7, model_key(3)), (StateKey{20, 0, 0, 0, 0, 0, 0, 0, 7, 5, 0, 0, 0, 3}));
    // The kind, the address's version and its hash.
    const Address address{AddressVersion::ed25519, Hash256{{1, 2}}};
    StateKey account{1, 0, 1, 2};
    account.resize(34);
    EXPECT_EQ(account_key(address), account);
}

TEST(Entries, parameters_survive_their_bytes) {
    const std::vector<std::int32_t> parameters{0, 1, -1, INT32_MAX, INT32_MIN, 0x01020304};
    const Bytes bytes = encode_parameters(parameters);
    EXPECT_EQ(bytes[20], 4);
    EXPECT_EQ(bytes[23], 1);
    EXPECT_EQ(*decode_parameters(bytes), parameters);
    EXPECT_EQ(decode_parameters(Bytes(5)), std::nullopt);
}

TEST(Entries, damaged_entry_is_an_error_and_none_is_a_value) {
    MemoryState state;
    EXPECT_EQ(*read_entry<Account>(state, account_key({})), std::nullopt);
    EXPECT_EQ(require_entry<Totals>(state, totals_key()).error().fault, StoreFault::corrupt);
    state.apply({{{totals_key(), value({1, 2})}}});
    EXPECT_EQ(read_entry<Totals>(state, totals_key()).error().fault, StoreFault::corrupt);
}

}  // namespace
}  // namespace gradient::chain
