#include "tests/support/fraud_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace gradient::chain {
namespace {

using test::LyingSegment;
using Error = TransactionError;

// The rules a second time, on plain lists: no agenda, no entries that stay with nothing in them.
struct PlainFraud {
    struct Commitment {
        std::uint64_t height;
        std::size_t order;  // of all commitments there ever were
        std::uint8_t key;
        Hash256 subject;
        std::uint8_t salt;
    };
    struct Case {
        std::size_t best;  // order of the earliest commitment shown
        std::uint8_t owner;
        std::uint64_t reward;
        std::uint64_t opened;
    };
    struct Earned {
        std::uint64_t matures;
        std::uint8_t key;
        std::uint64_t units;
    };

    std::map<std::uint8_t, std::uint64_t> balances;
    std::vector<Commitment> live;
    std::map<Hash256, Case> cases;
    std::vector<Earned> earned;
    std::set<Hash256> proven;
    std::uint64_t burnt = 0;
    std::size_t orders = 0;

    void start_block(std::uint64_t height) {
        std::erase_if(earned, [&](const Earned& one) {
            if (one.matures == height) balances[one.key] += one.units;
            return one.matures == height;
        });
        std::erase_if(live, [&](const Commitment& one) {
            if (one.height + 10 < height) burnt += kCoin;
            return one.height + 10 < height;
        });
        std::erase_if(cases, [&](const auto& one) {
            const bool over = one.second.opened + 10 < height;
            if (over) balances[one.second.owner] += one.second.reward;
            return over;
        });
    }

    void accuse(const Commitment& commitment, std::uint8_t accused, std::uint64_t height) {
        balances[commitment.key] += kCoin;
        const auto found = cases.find(commitment.subject);
        if (found != cases.end()) {
            if (commitment.order < found->second.best) {
                found->second.best = commitment.order;
                found->second.owner = commitment.key;
            }
            return;
        }
        std::uint64_t taken = 0;
        std::erase_if(earned, [&](const Earned& one) {
            if (one.key == accused) taken += one.units;
            return one.key == accused;
        });
        cases[commitment.subject] = {commitment.order, commitment.key, taken / 2, height};
        burnt += taken - taken / 2;
        proven.insert(commitment.subject);
    }
};

// Somebody's segment, and everything that might be said against it.
struct Suspect {
    LyingSegment made;
    std::uint8_t key;
    std::uint32_t false_unit;  // 0: honest
    std::uint64_t included = 0;
};

class FraudRandom : public FraudFixture {
  protected:
    static constexpr std::array<std::uint8_t, 4> kAuditors = {1, 2, 3, 8};

    FraudRandom() {
        for (const std::uint8_t key : {kLiar, std::uint8_t{8}, std::uint8_t{9}}) {
            for (std::uint32_t i = 0; i < 3; ++i) {
                const std::uint32_t j = i == 2 ? 0 : 2 + 3 * i;
                suspects_.push_back({j == 0
                                         ? test::honest_segment(params_, trainer(), 100 * i, key)
                                         : test::false_segment(params_, trainer(), 100 * i, key, j),
                                     key, j});
            }
        }
        for (const std::uint8_t key : kAuditors) {
            fund(key, 200 * kCoin);
            plain_.balances[key] = 200 * kCoin;
        }
    }

    std::uint32_t draw(std::uint32_t count) {
        return static_cast<std::uint32_t>(random_() % count);
    }

    // A proof that may be true or not.
    FraudProof some_proof(const Suspect& suspect) {
        if (draw(4) == 0) return test::double_proof(suspect.made, suspect.key);
        if (suspect.false_unit != 0 && draw(3) != 0) return suspect.made.proof(suspect.false_unit);
        return suspect.made.proof(1 + draw(suspect.made.units()));
    }

    void include_some() {
        Suspect& suspect = suspects_[draw(static_cast<std::uint32_t>(suspects_.size()))];
        if (suspect.included != 0) return;
        suspect.included = height_;
        const std::uint64_t units = 1 + draw(1000);
        include(suspect.made, suspect.key, units);
        plain_.earned.push_back({height_ + params_.maturity_blocks, suspect.key, units});
    }

    void pay_some() {
        const auto key = static_cast<std::uint8_t>(7 + draw(3));
        const std::uint64_t units = 1 + draw(1000);
        pay(key, units);
        plain_.earned.push_back({height_ + params_.maturity_blocks, key, units});
    }

    void commit_some() {
        const Suspect& suspect = suspects_[draw(static_cast<std::uint32_t>(suspects_.size()))];
        const std::uint8_t key = kAuditors[draw(kAuditors.size())];
        const auto salt = static_cast<std::uint8_t>(draw(2));
        const FraudProof proof = some_proof(suspect);
        const Hash256 subject = *subject_of(proof, tasks_);
        const bool known = std::any_of(plain_.live.begin(), plain_.live.end(), [&](const auto& c) {
            return c.key == key && c.salt == salt && c.subject == subject;
        });
        const auto expected = known ? std::optional(Error::commitment_known) : std::nullopt;
        ASSERT_EQ(commit(key, proof, salt), expected);
        if (known) return;
        plain_.balances[key] -= kCoin;
        plain_.live.push_back({height_, plain_.orders++, key, subject, salt});
    }

    void reveal_some() {
        const Suspect& suspect = suspects_[draw(static_cast<std::uint32_t>(suspects_.size()))];
        std::uint8_t key = kAuditors[draw(kAuditors.size())];
        auto salt = static_cast<std::uint8_t>(draw(2));
        std::uint64_t commit_height = height_ - draw(13);
        const FraudProof proof = some_proof(suspect);
        const Hash256 subject = *subject_of(proof, tasks_);
        for (const auto& one : plain_.live) {
            if (one.subject != subject || draw(3) == 0) continue;
            std::tie(key, salt, commit_height) = std::tie(one.key, one.salt, one.height);
        }
        const auto live = std::find_if(plain_.live.begin(), plain_.live.end(), [&](const auto& c) {
            return c.key == key && c.salt == salt && c.subject == subject &&
                   c.height == commit_height;
        });
        const auto expected =
            verdict(suspect, proof, subject, commit_height, live != plain_.live.end());
        ASSERT_EQ(reveal(key, proof, commit_height, salt), expected);
        if (expected) {
            ++refused_[*expected];
            return;
        }
        ++accepted_;
        plain_.accuse(*live, suspect.key, height_);
        plain_.live.erase(live);
    }

    std::optional<Error> verdict(const Suspect& suspect, const FraudProof& proof,
                                 const Hash256& subject, std::uint64_t commit_height,
                                 bool is_live) const {
        const std::uint64_t age = height_ - commit_height;
        if (age < 2 || age > 10) return Error::bad_commit_height;
        if (!is_live) return Error::commitment_missing;
        if (plain_.cases.contains(subject)) return std::nullopt;
        if (suspect.included == 0 || suspect.included + params_.maturity_blocks <= height_ ||
            plain_.proven.contains(subject)) {
            return Error::segment_not_immature;
        }
        const auto* unit = std::get_if<FalseUnitProof>(&proof);
        if (unit && unit->unit != suspect.false_unit) return Error::replay_agrees;
        return std::nullopt;
    }

    void expect_same() const {
        std::uint64_t maturing = 0;
        std::uint64_t entries = 0;
        const StateDiff all = state_.diff().value();
        for (const StateWrite& write : all.writes) {
            switch (static_cast<EntryKind>(write.key.front())) {
                case EntryKind::maturing_pay: {
                    const auto list = decode_exact<MaturingPay>(*write.value).value();
                    for (const Pay& pay : list.pays) maturing += pay.amount.units();
                    break;
                }
                case EntryKind::commitment:
                    ++entries;
                    break;
                default:
                    break;
            }
        }
        std::uint64_t expected = 0;
        for (const auto& one : plain_.earned) expected += one.units;
        ASSERT_EQ(maturing, expected);
        ASSERT_EQ(entries, plain_.live.size());
        ASSERT_EQ(totals().burnt.units(), plain_.burnt);
        for (const auto& [key, units] : plain_.balances) ASSERT_EQ(balance(key), units) << int{key};
        for (const auto& [subject, one] : plain_.cases) {
            const auto found = open_case(subject);
            ASSERT_TRUE(found);
            ASSERT_EQ(found->owner, account(one.owner));
            ASSERT_EQ(found->reward.units(), one.reward);
        }
    }

    std::mt19937_64 random_;
    std::vector<Suspect> suspects_;
    PlainFraud plain_;
    std::map<Error, int> refused_;
    int accepted_ = 0;
};

// GRADIENT_FRAUD_SEED repeats a run.
TEST_F(FraudRandom, agrees_with_plain_lists_and_keeps_every_coin) {
    const char* given = std::getenv("GRADIENT_FRAUD_SEED");  // NOLINT(concurrency-mt-unsafe)
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    SCOPED_TRACE("GRADIENT_FRAUD_SEED=" + std::to_string(seed));
    std::printf("GRADIENT_FRAUD_SEED=%llu\n", static_cast<unsigned long long>(seed));
    random_.seed(seed);
    int rounds = 0;
    for (int step = 0; step < 4'000; ++step) {
        switch (draw(8)) {
            case 0:
                next_block();
                plain_.start_block(height_);
                break;
            case 1:
                include_some();
                break;
            case 2:
                pay_some();
                break;
            case 3:
                commit_some();
                break;
            default:
                reveal_some();
                break;
        }
        ASSERT_NO_FATAL_FAILURE(expect_same()) << "step " << step << ", height " << height_;
        // When nothing is left to accuse, the segments are included again: new ones for the rules.
        const bool over = std::all_of(suspects_.begin(), suspects_.end(), [&](const Suspect& one) {
            return one.included != 0 && one.included + params_.maturity_blocks < height_;
        });
        if (!over) continue;
        ++rounds;
        for (Suspect& suspect : suspects_) suspect.included = 0;
        plain_.proven.clear();
    }
    EXPECT_GT(rounds, 2);
    EXPECT_GT(accepted_, 50);
    for (const Error error : {Error::bad_commit_height, Error::commitment_missing,
                              Error::segment_not_immature, Error::replay_agrees}) {
        EXPECT_GT(refused_[error], 10) << describe(error);
    }
}

}  // namespace
}  // namespace gradient::chain
