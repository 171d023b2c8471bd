#include "chain/base/bytes.hpp"
#include "node/rpc/access.hpp"
#include "node/rpc/http_origin.hpp"
#include "node/rpc/http_routes.hpp"
#include "node/rpc/rpc_setup.hpp"
#include "node/setup/failure.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace gradient::node {
namespace {

namespace http = boost::beast::http;

std::string basic(const std::string& user, const std::string& password) {
    return "Basic " + base64(chain::as_bytes(user + ":" + password));
}

class RpcAccess : public testing::Test {
  protected:
    RpcAccess()
        : file_(std::filesystem::temp_directory_path() /
                ("gradient_access_test_" + std::to_string(::getpid()))),
          cookie_(Cookie::create(file_)) {}
    ~RpcAccess() override { std::filesystem::remove(file_); }

    std::filesystem::path file_;
    Cookie cookie_;
};

ExitCode failure_of(const std::string& line) {
    try {
        static_cast<void>(parse_rpc_user(line));
    } catch (const Failure& failure) {
        EXPECT_EQ(std::string(failure.what()).find("0000"), std::string::npos) << failure.what();
        return failure.code();
    }
    return ExitCode::ok;
}

TEST_F(RpcAccess, lets_in_the_cookie_and_users_with_their_password) {
    const auto ann = make_rpc_user("ann", RpcPermission::submit);
    const auto bob = make_rpc_user("bob", RpcPermission::read);
    EXPECT_NE(ann.password, bob.password);
    EXPECT_EQ(ann.line.find(ann.password), std::string::npos);
    const Access access(cookie_, {parse_rpc_user(ann.line), parse_rpc_user(bob.line)});
    EXPECT_EQ(access.authenticate(cookie_.authorization())->permission, RpcPermission::control);
    const auto caller = access.authenticate(basic("ann", ann.password));
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->name, "ann");
    EXPECT_EQ(caller->permission, RpcPermission::submit);
    EXPECT_EQ(access.authenticate(basic("bob", bob.password))->permission, RpcPermission::read);
    for (const auto& header :
         {basic("ann", bob.password), basic("bob", ann.password), basic("ann", ""),
          basic("", ann.password), basic("carl", ann.password), basic("ann", ann.password + "0"),
          basic("gradient", ann.password), std::string("Basic "), std::string("Basic *"),
          std::string("Bearer ") + ann.password, std::string(),
          "Basic " + base64(chain::as_bytes(std::string("no colon")))})
        EXPECT_FALSE(access.authenticate(header)) << header;
}

TEST_F(RpcAccess, knows_the_hash_that_others_make_too) {
    // HMAC-SHA256 with the key "salt" of "password", by Python's hmac.
    const auto user = parse_rpc_user(
        "ann:control:salt$84ec44c7d6fc41917953a1dafca3c7d7856f7a9d0328b991b76f0d36be1224b9");
    const Access access(cookie_, {user});
    EXPECT_TRUE(access.authenticate(basic("ann", "password")));
}

TEST_F(RpcAccess, refuses_lines_that_are_none_without_repeating_them) {
    const std::string hash(64, '0');
    EXPECT_EQ(failure_of("ann:read:s$" + hash), ExitCode::ok);
    const std::vector<std::string> wrong{"",
                                         "ann",
                                         "ann:read",
                                         "ann:read:s" + hash,
                                         "ann:all:s$" + hash,
                                         ":read:s$" + hash,
                                         "gradient:read:s$" + hash,
                                         "a b:read:s$" + hash,
                                         "ann:read:$" + hash,
                                         "ann:read:s$" + hash + "0",
                                         "ann:read:s$" + hash.substr(1) + "g",
                                         std::string(65, 'a') + ":read:s$" + hash};
    for (const std::string& line : wrong) EXPECT_EQ(failure_of(line), ExitCode::usage) << line;
    const auto twice = make_rpc_user("ann", RpcPermission::read);
    EXPECT_THROW(Access(cookie_, {parse_rpc_user(twice.line), parse_rpc_user(twice.line)}),
                 Failure);
}

TEST(RpcPlace, asks_for_tls_or_a_word_where_others_can_reach_it) {
    RpcSettings settings;
    for (const auto* address : {"127.0.0.1", "127.8.8.8", "::1"}) {
        settings.address = address;
        EXPECT_NO_THROW(static_cast<void>(rpc_place(settings))) << address;
    }
    for (const auto* address : {"0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"}) {
        settings.address = address;
        settings.allow_plain = false;
        EXPECT_THROW(static_cast<void>(rpc_place(settings)), Failure) << address;
        settings.allow_plain = true;
        EXPECT_NO_THROW(static_cast<void>(rpc_place(settings))) << address;
    }
    settings.allow_plain = false;
    settings.tls_certificate = "a";
    settings.tls_key = "b";
    EXPECT_EQ(rpc_place(settings).tls->key, "b");
}

TEST(HttpOrigin, takes_hosts_that_a_strangers_page_cannot_have) {
    const std::vector<std::string> names{"node.example"};
    for (const auto* host : {"localhost", "LocalHost:1", "127.0.0.1:9420", "10.1.2.3", "[::1]:9420",
                             "[2001:db8::1]", "node.example", "Node.Example:443"})
        EXPECT_TRUE(names_this_node(host, names)) << host;
    for (const auto* host : {"", ":80", "evil.example", "localhost.evil.example", "node.example.",
                             "127.0.0.1.evil.example", "[", "[evil]", "2130706433", "0x7f.1"})
        EXPECT_FALSE(names_this_node(host, names)) << host;
}

TEST(HttpOrigin, takes_pages_of_that_very_host) {
    EXPECT_TRUE(is_same_origin("http://localhost:9420", "localhost:9420"));
    EXPECT_TRUE(is_same_origin("https://NODE.example", "node.example"));
    for (const auto* origin : {"", "null", "http", "localhost:9420", "http://", "http://localhost",
                               "http://localhost:94200", "ftp://localhost:9420",
                               "://localhost:9420", "http://evil.example"})
        EXPECT_FALSE(is_same_origin(origin, "localhost:9420")) << origin;
}

TEST(HttpRoutes, the_first_that_fits_answers) {
    HttpRoutes routes;
    routes.add({http::verb::post, "/", nullptr});
    routes.add({http::verb::get, "/explorer/*", nullptr});
    routes.add({http::verb::get, "/", nullptr});
    EXPECT_EQ(routes.find(http::verb::get, "/explorer/a/b")->path, "/explorer/*");
    EXPECT_EQ(routes.find(http::verb::get, "/explorer/")->path, "/explorer/*");
    EXPECT_EQ(routes.find(http::verb::get, "/explorer"), nullptr);
    EXPECT_EQ(routes.find(http::verb::get, "/explorers"), nullptr);
    EXPECT_EQ(routes.find(http::verb::put, "/"), nullptr);
    EXPECT_EQ(routes.verbs_of("/"), "POST, GET");
    EXPECT_EQ(routes.verbs_of("/none"), "");
}

}  // namespace
}  // namespace gradient::node
