#include "node/p2p/ban_list.hpp"

#include "tests/support/damaged_text.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace gradient::node {
namespace {

namespace fs = std::filesystem;

constexpr UnixSeconds kNow = 1'800'000'000;

boost::asio::ip::address address(const std::string& text) {
    return boost::asio::ip::make_address(text);
}

NodeId node(std::uint32_t number) {
    NodeId id;
    for (std::size_t i = 0; i < 4; ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    return id;
}

Ban misbehaviour(UnixSeconds until) {
    return {BanOrigin::misbehaviour, kNow, until, "it lied"};
}
Ban by_operator(UnixSeconds until) {
    return {BanOrigin::node_operator, kNow, until, "nuisance"};
}

TEST(BanList, holds_until_its_last_second) {
    BanList bans;
    EXPECT_TRUE(bans.add(node(1), misbehaviour(kNow + 60), kNow));
    EXPECT_NE(bans.find(node(1), kNow + 59), nullptr);
    EXPECT_EQ(bans.find(node(1), kNow + 60), nullptr);
    EXPECT_EQ(bans.find(node(2), kNow), nullptr);
    EXPECT_FALSE(bans.expire(kNow + 59));
    EXPECT_TRUE(bans.expire(kNow + 60));
    EXPECT_TRUE(bans.all().empty());
    EXPECT_FALSE(bans.add(node(1), misbehaviour(kNow), kNow));
}

TEST(BanList, covers_one_address_of_ipv4_and_a_64_of_ipv6) {
    BanList bans;
    bans.add(banned_address(address("8.1.2.3")), misbehaviour(kNow + 60), kNow);
    EXPECT_NE(bans.find(address("8.1.2.3"), kNow), nullptr);
    EXPECT_NE(bans.find(address("::ffff:8.1.2.3"), kNow), nullptr);
    EXPECT_EQ(bans.find(address("8.1.2.4"), kNow), nullptr);
    bans.add(banned_address(address("2a01:4f8:1:2::5")), misbehaviour(kNow + 60), kNow);
    EXPECT_NE(bans.find(address("2a01:4f8:1:2:ffff::9"), kNow), nullptr);
    EXPECT_EQ(bans.find(address("2a01:4f8:1:3::5"), kNow), nullptr);
}

TEST(BanList, the_operators_word_is_last) {
    BanList bans;
    bans.add(node(1), by_operator(kNow + 60), kNow);
    EXPECT_TRUE(bans.add(node(1), misbehaviour(kNow + 1000), kNow));
    EXPECT_EQ(bans.find(node(1), kNow)->origin, BanOrigin::node_operator);
    EXPECT_EQ(bans.find(node(1), kNow + 60), nullptr);
    // It may also make one shorter, and lift it.
    bans.add(node(2), misbehaviour(kNow + 1000), kNow);
    bans.add(node(2), by_operator(kNow + 10), kNow);
    EXPECT_EQ(bans.find(node(2), kNow + 10), nullptr);
    EXPECT_TRUE(bans.lift(node(2)));
    EXPECT_FALSE(bans.lift(node(2)));
}

TEST(BanList, misbehaviour_never_makes_a_ban_shorter) {
    BanList bans;
    bans.add(node(1), misbehaviour(kNow + 1000), kNow);
    bans.add(node(1), misbehaviour(kNow + 10), kNow);
    EXPECT_NE(bans.find(node(1), kNow + 999), nullptr);
}

TEST(BanList, is_bounded_and_never_gives_up_what_the_operator_banned) {
    BanList bans;
    bans.add(node(0), by_operator(kForever), kNow);
    bans.add(node(1), misbehaviour(kNow + 5), kNow);
    for (std::uint32_t i = 2; i < 2 * kMaxBans; ++i) {
        EXPECT_TRUE(bans.add(node(i), misbehaviour(kNow + 1000 + i), kNow));
        ASSERT_LE(bans.all().size(), kMaxBans);
    }
    EXPECT_NE(bans.find(node(0), kNow), nullptr);
    EXPECT_EQ(bans.find(node(1), kNow), nullptr);  // it would have ended first
    EXPECT_NE(bans.find(node(2 * kMaxBans - 1), kNow), nullptr);
    for (std::uint32_t i = 1; i < kMaxBans; ++i) bans.add(node(i), by_operator(kForever), kNow);
    EXPECT_EQ(bans.all().size(), kMaxBans);
    EXPECT_FALSE(bans.add(node(9'999'999), misbehaviour(kForever), kNow));
    EXPECT_FALSE(bans.add(node(9'999'999), by_operator(kForever), kNow));
}

TEST(BanList, targets_have_a_text) {
    for (const BanTarget& target :
         {BanTarget(node(7)), BanTarget(banned_address(address("8.8.8.8"))),
          BanTarget(banned_address(address("2a00:1::7")))}) {
        EXPECT_EQ(parse_ban_target(format_ban_target(target)), target);
    }
    EXPECT_EQ(format_ban_target(banned_address(address("2a00:1::7"))), "2a00:1::");
    EXPECT_EQ(parse_ban_target("someone"), std::nullopt);
    EXPECT_EQ(parse_ban_target(""), std::nullopt);
}

class BanFile : public testing::Test {
  protected:
    void write(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }
    [[nodiscard]] std::string read() const {
        std::ifstream in(file_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    [[nodiscard]] BanList example() const {
        BanList bans;
        bans.add(node(1), misbehaviour(kNow + 60), kNow);
        bans.add(node(2), by_operator(kForever), kNow);
        Ban ban = by_operator(kNow + 60);
        ban.reason = std::string(kMaxBanReasonBytes - 1, '"') + "\xc3\xa4 cut in two";
        bans.add(banned_address(address("8.1.2.3")), ban, kNow);
        bans.add(banned_address(address("2a01::1")), misbehaviour(kNow + 60), kNow);
        return bans;
    }
    const TemporaryDirectory folder_;
    const fs::path file_ = folder_.path() / "bans.json";
};

TEST_F(BanFile, keeps_every_ban) {
    EXPECT_EQ(load_bans(file_, kNow), BanList());  // no file, no bans
    save_bans(file_, example());
    EXPECT_EQ(load_bans(file_, kNow), example());
    BanList later = example();
    later.expire(kNow + 60);
    EXPECT_EQ(load_bans(file_, kNow + 60), later);
    EXPECT_EQ(later.all().size(), 1U);
}

TEST_F(BanFile, says_which_file_is_damaged) {
    save_bans(file_, example());
    each_truncation(read(), 13, [&](const std::string& text) {
        write(text);
        const auto bans = load_bans(file_, kNow);
        ASSERT_FALSE(bans) << text;
        EXPECT_NE(bans.error().find(file_.string()), std::string::npos) << bans.error();
    });
    for (const std::string text : {"null", "[]", "{}", "{\"version\":1}", "{\"version\":2}", "7",
                                   "{\"version\":1,\"bans\":[7]}", "\xff\xfe"}) {
        write(text);
        EXPECT_FALSE(load_bans(file_, kNow)) << text;
    }
}

TEST_F(BanFile, survives_any_garbage) {
    save_bans(file_, example());
    each_damage(read(), 5, 400, [&](const std::string& text) {
        write(text);
        const auto bans = load_bans(file_, kNow);
        if (bans) {
            EXPECT_LE(bans->all().size(), example().all().size());
        } else {
            EXPECT_NE(bans.error().find(file_.string()), std::string::npos) << text;
        }
    });
}

}  // namespace
}  // namespace gradient::node
