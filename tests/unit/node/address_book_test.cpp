#include "node/p2p/address_book.hpp"

#include "node/p2p/address_file.hpp"
#include "tests/support/damaged_text.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace gradient::node {
namespace {

namespace fs = std::filesystem;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kDay = 24 * 3600;

boost::asio::ip::address address(const std::string& text) {
    return boost::asio::ip::make_address(text);
}

Endpoint endpoint(const std::string& ip, std::uint16_t port = 9421) {
    return {address(ip), port};
}

AddressRecord record(const std::string& ip, std::uint16_t port = 9421, UnixSeconds seen = kNow) {
    return {ip_bytes(address(ip)), port, 1, seen};
}

chain::Hash256 number(std::uint8_t value) {
    chain::Hash256 hash;
    hash.bytes[0] = value;
    return hash;
}

AddressBook book(std::uint8_t seed = 1) {
    return {number(7), number(seed)};
}

bool anything(const Endpoint& /*endpoint*/) {
    return true;
}

// The i-th of many addresses of as many network groups.
std::string spread(std::size_t i) {
    return std::to_string(20 + i % 80) + "." + std::to_string(i / 80 % 256) + ".3." +
           std::to_string(1 + i / 20'480);
}

TEST(Reach, tells_where_an_address_means_something) {
    const std::map<std::string, Reach> cases = {
        {"8.8.8.8", Reach::world},
        {"127.5.0.1", Reach::machine},
        {"10.1.2.3", Reach::private_network},
        {"172.31.0.1", Reach::private_network},
        {"172.32.0.1", Reach::world},
        {"192.168.7.7", Reach::private_network},
        {"100.64.0.1", Reach::private_network},
        {"100.128.0.1", Reach::world},
        {"169.254.1.1", Reach::private_network},
        {"0.0.0.0", Reach::nowhere},
        {"224.0.0.1", Reach::nowhere},
        {"255.255.255.255", Reach::nowhere},
        {"203.0.113.5", Reach::nowhere},
        {"::", Reach::nowhere},
        {"::1", Reach::machine},
        {"::ffff:127.0.0.1", Reach::machine},
        {"::ffff:8.8.8.8", Reach::world},
        {"fd00::1", Reach::private_network},
        {"fe80::1", Reach::nowhere},
        {"ff02::1", Reach::nowhere},
        {"2001:db8::1", Reach::nowhere},
        {"2a00:1450::1", Reach::world},
    };
    for (const auto& [text, reach] : cases) EXPECT_EQ(reach_of(address(text)), reach) << text;
}

TEST(AddressBook, believes_only_what_means_something_where_its_source_is) {
    const std::vector<AddressRecord> records = {record("8.1.0.1"), record("10.0.0.1"),
                                                record("127.0.0.1"), record("224.0.0.1"),
                                                record("8.2.0.1", 0)};
    AddressBook of_world = book();
    EXPECT_EQ(of_world.add(address("9.9.9.9"), records, kNow), 1U);
    AddressBook of_network = book();
    EXPECT_EQ(of_network.add(address("10.0.0.9"), records, kNow), 2U);
    AddressBook of_machine = book();
    EXPECT_EQ(of_machine.add(address("127.0.0.1"), records, kNow), 3U);
}

TEST(AddressBook, answers_by_the_same_rule_and_never_with_all_it_knows) {
    AddressBook addresses = book();
    addresses.add(address("127.0.0.1"),
                  std::vector{record("127.0.0.1"), record("10.0.0.1"), record("8.1.0.1")}, kNow);
    EXPECT_EQ(addresses.answer(address("127.0.0.1"), kNow).size(), 3U);
    EXPECT_EQ(addresses.answer(address("10.9.9.9"), kNow).size(), 2U);
    ASSERT_EQ(addresses.answer(address("9.9.9.9"), kNow).size(), 1U);
    EXPECT_EQ(addresses.answer(address("9.9.9.9"), kNow)[0].ip, ip_bytes(address("8.1.0.1")));

    for (std::size_t i = 0; i < 6000; ++i) {
        addresses.add(address(spread(i % 500)), std::vector{record(spread(i))}, kNow);
    }
    const std::size_t size = addresses.size();
    EXPECT_GT(size, 1500U);
    const auto answer = addresses.answer(address("9.9.9.9"), kNow);
    EXPECT_LE(answer.size(), kMaxAddressesPerMessage);
    EXPECT_LE(answer.size(), size * kAnswerPercent / 100 + 1);
    std::set<IpBytes> distinct;
    for (const AddressRecord& one : answer) distinct.insert(one.ip);
    EXPECT_EQ(distinct.size(), answer.size());
}

TEST(AddressBook, a_network_on_one_machine_finds_all_its_nodes) {
    AddressBook addresses = book();
    std::vector<AddressRecord> records;
    for (std::uint16_t port = 10'000; port < 10'100; ++port) {
        records.push_back(record("127.0.0.1", port));
    }
    // Those whose places are taken are told again, and come in as others move to tried.
    std::set<Endpoint> found;
    UnixSeconds now = kNow;
    for (int round = 0; round < 300; ++round, now += 60) {
        for (AddressRecord& one : records) one.last_seen_s = now;
        addresses.add(address("127.0.0.1"), records, now);
        const auto next =
            addresses.pick([&](const Endpoint& one) { return !found.contains(one); }, now);
        if (!next) continue;
        found.insert(*next);
        addresses.mark_connected(*next, 1, now);
    }
    EXPECT_EQ(found.size(), records.size());
    EXPECT_GT(addresses.tried(), 80U);
}

TEST(AddressBook, old_addresses_are_not_taken_and_claims_of_the_future_not_believed) {
    AddressBook addresses = book();
    const auto source = address("9.9.9.9");
    EXPECT_EQ(addresses.add(source, std::vector{record("8.1.0.1", 9421, kNow - 31 * kDay)}, kNow),
              0U);
    addresses.add(source, std::vector{record("8.2.0.1", 9421, kNow + kDay)}, kNow);
    EXPECT_LT(addresses.find(endpoint("8.2.0.1"))->last_seen_s, kNow - 4 * kDay);
    addresses.add(source, std::vector{record("8.3.0.1")}, kNow);
    EXPECT_EQ(addresses.find(endpoint("8.3.0.1"))->last_seen_s, kNow - 2 * 3600);
    addresses.add(source, std::vector{record("9.9.9.9")}, kNow);  // of itself it may know
    EXPECT_EQ(addresses.find(endpoint("9.9.9.9"))->last_seen_s, kNow);
    addresses.expire(kNow + 26 * kDay);
    EXPECT_EQ(addresses.find(endpoint("8.2.0.1")), nullptr);
    EXPECT_NE(addresses.find(endpoint("8.3.0.1")), nullptr);
    addresses.expire(kNow + 31 * kDay);
    EXPECT_EQ(addresses.size(), 0U);
}

TEST(AddressBook, mapped_addresses_are_ipv4) {
    AddressBook addresses = book();
    addresses.add(address("9.9.9.9"), std::vector{record("8.1.0.1")}, kNow);
    addresses.mark_connected(endpoint("::ffff:8.1.0.1"), 3, kNow);
    ASSERT_EQ(addresses.size(), 1U);
    EXPECT_TRUE(addresses.find(endpoint("8.1.0.1"))->is_tried);
    EXPECT_EQ(addresses.find(endpoint("8.1.0.1"))->services, 3U);
}

TEST(AddressBook, failures_delay_the_next_try_and_success_ends_the_row) {
    AddressBook addresses = book();
    const Endpoint one = endpoint("8.1.0.1");
    addresses.add(address("9.9.9.9"), std::vector{record("8.1.0.1")}, kNow);
    UnixSeconds now = kNow;
    EXPECT_EQ(addresses.pick(anything, now), one);
    for (const UnixSeconds delay : {20U, 40U, 80U, 160U, 320U, 640U, 1280U, 2560U, 3600U, 3600U}) {
        addresses.mark_failed(one, now);
        EXPECT_EQ(addresses.pick(anything, now + delay - 1), std::nullopt) << delay;
        EXPECT_EQ(addresses.pick(anything, now + delay), one) << delay;
        now += delay;
    }
    EXPECT_FALSE(addresses.has_sound(anything, now + 60));
    EXPECT_TRUE(addresses.answer(address("9.9.9.9"), now + 60).empty());
    addresses.mark_connected(one, 1, now);
    EXPECT_TRUE(addresses.has_sound(anything, now));
    EXPECT_EQ(addresses.pick(anything, now + 10), one);
}

TEST(AddressBook, is_deterministic_given_salt_seed_and_calls) {
    std::vector<std::vector<std::optional<Endpoint>>> runs;
    for (const int seed : {1, 1, 2}) {
        AddressBook addresses = book(static_cast<std::uint8_t>(seed));
        std::vector<std::optional<Endpoint>> picks;
        for (std::size_t i = 0; i < 300; ++i) {
            addresses.add(address(spread(i % 10)), std::vector{record(spread(i))}, kNow);
            picks.push_back(addresses.pick(anything, kNow));
        }
        runs.push_back(std::move(picks));
    }
    EXPECT_EQ(runs[0], runs[1]);
    EXPECT_NE(runs[0], runs[2]);
}

// The share of picks that lead to an attacker's address.
double attackers_share(AddressBook& addresses, const std::set<Endpoint>& honest) {
    constexpr int kPicks = 20'000;
    int bad = 0;
    for (int i = 0; i < kPicks; ++i) {
        const auto pick = addresses.pick(anything, kNow + kDay);
        bad += pick && !honest.contains(*pick) ? 1 : 0;
    }
    return static_cast<double>(bad) / kPicks;
}

// A hundred attackers in one /16 tell of ten thousand addresses each, of any groups they like.
TEST(AddressBook, one_network_group_can_not_take_over_the_book) {
    AddressBook addresses = book();
    std::mt19937 random(11);
    std::set<Endpoint> honest;
    for (std::size_t i = 0; i < 200; ++i) {
        honest.insert(endpoint(spread(i)));
        addresses.add(address(spread(i / 2)), std::vector{record(spread(i))}, kNow);
    }
    const std::size_t before = addresses.size();
    for (int attacker = 0; attacker < 100; ++attacker) {
        for (int message = 0; message < 40; ++message) {
            std::vector<AddressRecord> lies;
            for (int i = 0; i < 256; ++i) {
                const auto bits = static_cast<std::uint32_t>(random());
                lies.push_back(record(boost::asio::ip::address_v4(bits).to_string()));
            }
            addresses.add(address("6.6.0." + std::to_string(attacker)), lies, kNow);
        }
    }
    std::size_t kept = 0;
    for (const Endpoint& one : honest) kept += addresses.find(one) != nullptr ? 1U : 0U;
    EXPECT_EQ(kept, before);  // not one is pushed out
    EXPECT_LE(addresses.size(), before + kFreshBucketsPerSource * kBucketSize);
    const double share = attackers_share(addresses, honest);
    std::cout << "attackers' addresses: " << addresses.size() - before << " of " << addresses.size()
              << ", of the picks: " << share << "\n";
    EXPECT_LT(share, 0.25);

    // Once this node has connected to some, half of the picks are of those.
    int connected = 0;
    for (const Endpoint& one : honest) {
        if (addresses.find(one) == nullptr || ++connected > 20) continue;
        addresses.mark_connected(one, 1, kNow);
    }
    std::cout << "with 20 tried: " << attackers_share(addresses, honest) << "\n";
    EXPECT_LT(attackers_share(addresses, honest), 0.13);
}

TEST(AddressBook, one_network_group_gets_few_places_among_the_tried) {
    AddressBook addresses = book();
    for (int i = 0; i < 256; ++i) {
        for (int j = 0; j < 16; ++j) {
            addresses.mark_connected(endpoint("6.6." + std::to_string(i) + "." + std::to_string(j)),
                                     1, kNow);
        }
    }
    EXPECT_LE(addresses.tried(), kTriedBucketsPerGroup * kBucketSize);
}

TEST(AddressBook, a_sound_tried_address_keeps_its_place_and_is_looked_after) {
    AddressBook addresses = book();
    // Two of one group that want the same place.
    std::vector<Endpoint> all;
    Endpoint newcomer;
    for (int i = 0; newcomer == Endpoint() && i < 2000; ++i) {
        const Endpoint one =
            endpoint("8.1." + std::to_string(i / 250) + "." + std::to_string(i % 250));
        addresses.mark_connected(one, 1, kNow);
        const KnownAddress* const known = addresses.find(one);
        if (known != nullptr && !known->is_tried) newcomer = one;
        all.push_back(one);
    }
    ASSERT_NE(newcomer, Endpoint());
    const auto old = addresses.pick_feeler(anything, kNow + 60);
    ASSERT_TRUE(old);
    ASSERT_TRUE(addresses.find(*old)->is_tried);
    // It answers: it stays, and the newcomer is as before.
    addresses.mark_connected(*old, 1, kNow + 60);
    addresses.mark_connected(newcomer, 1, kNow + 61);
    EXPECT_TRUE(addresses.find(*old)->is_tried);
    EXPECT_FALSE(addresses.find(newcomer)->is_tried);
    // It fails: the next success of the newcomer gives it the place.
    addresses.mark_failed(*old, kNow + 120);
    addresses.mark_connected(newcomer, 1, kNow + 121);
    EXPECT_TRUE(addresses.find(newcomer)->is_tried);
    const KnownAddress* const displaced = addresses.find(*old);
    EXPECT_TRUE(displaced == nullptr || !displaced->is_tried);
}

// Whatever is done to a book, its figures fit together and it stays within its bounds.
void check_invariants(const AddressBook& addresses) {
    std::size_t tried = 0;
    std::set<Endpoint> distinct;
    for (const KnownAddress& known : addresses.all()) {
        tried += known.is_tried ? 1U : 0U;
        EXPECT_TRUE(distinct.insert(known.endpoint).second);
        EXPECT_NE(known.endpoint.port(), 0);
    }
    EXPECT_EQ(tried, addresses.tried());
    EXPECT_LE(addresses.size() - tried, kFreshBuckets * kBucketSize);
    EXPECT_LE(tried, kTriedBuckets * kBucketSize);
    // Every address has a place of its own: a book put together from them is the same.
    AddressBook again(addresses.salt(), number(9));
    for (const KnownAddress& known : addresses.all()) EXPECT_TRUE(again.restore(known));
    EXPECT_EQ(again.all(), addresses.all());
}

TEST(AddressBook, random_operations_keep_its_invariants) {
    for (std::uint8_t seed = 0; seed < 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        AddressBook addresses = book(seed);
        UnixSeconds now = kNow;
        // Few groups, so that places are fought for.
        const auto any_ip = [&] {
            const char* const starts[] = {"8.1.", "8.2.", "127.0.", "10.0.", "20.5."};
            return starts[random() % 5] + std::to_string(random() % 8) + "." +
                   std::to_string(random() % 64);
        };
        for (int step = 0; step < 3000; ++step) {
            const Endpoint one = endpoint(any_ip());
            switch (random() % 10) {
                case 0:
                    addresses.mark_connected(one, 1, now);
                    break;
                case 1:
                    addresses.mark_failed(one, now);
                    break;
                case 2:
                    addresses.mark_trying(one, now);
                    break;
                case 3:
                    addresses.mark_refused(one, now);
                    break;
                case 4:
                    addresses.remove(one);
                    break;
                case 5:
                    now += random() % 7200;
                    break;
                case 6:
                    if (random() % 20 == 0) addresses.expire(now);
                    break;
                case 7:
                    if (const auto pick = addresses.pick_feeler(anything, now)) {
                        EXPECT_NE(addresses.find(*pick), nullptr);
                    }
                    break;
                case 8:
                    if (const auto pick = addresses.pick(anything, now)) {
                        EXPECT_NE(addresses.find(*pick), nullptr);
                    }
                    break;
                default:
                    addresses.add(address(any_ip()),
                                  std::vector{record(any_ip(), 9421, now - random() % 3'000'000)},
                                  now);
            }
        }
        check_invariants(addresses);
    }
}

class AddressFile : public testing::Test {
  protected:
    void write(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }
    [[nodiscard]] std::string read() const {
        std::ifstream in(file_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    [[nodiscard]] auto load() const { return load_addresses(file_, number(99), number(1), kNow); }
    static AddressBook example(std::size_t count) {
        AddressBook addresses = book();
        for (std::size_t i = 0; i < count; ++i) {
            addresses.add(address(spread(i / 2)), std::vector{record(spread(i))}, kNow);
        }
        addresses.mark_connected(endpoint(spread(1)), 3, kNow);
        addresses.mark_connected(endpoint("2a00:1450::7"), 3, kNow);
        addresses.mark_failed(endpoint(spread(2)), kNow);
        addresses.mark_refused(endpoint(spread(3)), kNow);
        return addresses;
    }
    const std::vector<Endpoint> anchors_ = {endpoint("8.1.0.1"), endpoint("2a00:1450::7", 77)};
    const TemporaryDirectory folder_;
    const fs::path file_ = folder_.path() / "addresses.json";
};

TEST_F(AddressFile, keeps_addresses_salt_and_anchors) {
    const auto none = load();
    ASSERT_TRUE(none);
    EXPECT_EQ(none->book.size(), 0U);
    EXPECT_EQ(none->book.salt(), number(99));
    const AddressBook addresses = example(3000);
    save_addresses(file_, addresses, anchors_);
    const auto back = load();
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(back->book.all(), addresses.all());
    EXPECT_EQ(back->book.salt(), addresses.salt());
    EXPECT_EQ(back->book.tried(), addresses.tried());
    EXPECT_EQ(back->anchors, anchors_);
    EXPECT_EQ(fs::status(file_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(AddressFile, says_which_file_is_damaged) {
    save_addresses(file_, example(5), anchors_);
    each_truncation(read(), 13, [&](const std::string& text) {
        write(text);
        const auto stored = load();
        ASSERT_FALSE(stored) << text;
        EXPECT_NE(stored.error().find(file_.string()), std::string::npos) << stored.error();
    });
    for (const std::string text : {"null", "{}", "{\"version\":1}", "{\"version\":3}",
                                   "{\"version\":1,\"salt\":\"00\"}", "\xff\xfe", "[[[["}) {
        write(text);
        EXPECT_FALSE(load()) << text;
    }
}

TEST_F(AddressFile, survives_any_garbage) {
    save_addresses(file_, example(5), anchors_);
    each_damage(read(), 6, 400, [&](const std::string& text) {
        write(text);
        const auto stored = load();
        if (stored) {
            check_invariants(stored->book);
        } else {
            EXPECT_NE(stored.error().find(file_.string()), std::string::npos) << text;
        }
    });
}

}  // namespace
}  // namespace gradient::node
