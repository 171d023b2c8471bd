// Whom the listener lets wait and whom it refuses, over real sockets.

#include "node/concurrency/event.hpp"
#include "node/concurrency/join.hpp"
#include "node/p2p/listener.hpp"
#include "node/p2p/resolve.hpp"
#include "node/setup/failure.hpp"
#include "tests/support/loopback_peers.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <sys/resource.h>

#include <optional>
#include <string>

namespace gradient::node {
namespace {

using namespace std::chrono_literals;

class PeerListener : public LoopbackPeers {
  protected:
    // A listener whose handshakes wait for release_.
    void listen(ListenerLimits limits = {}) {
        const tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
        listener_.emplace(context_.get_executor(), any, limits);
        auto handshake = [this](tcp::socket socket) -> Task<> {
            const auto held = std::move(socket);
            ++begun_;
            while (released_ == 0) co_await release_.wait_until(Event::Deadline::max());
            --released_;
        };
        asio::co_spawn(context_, listener_->run(std::move(handshake)),
                       asio::bind_cancellation_slot(stop_.slot(), [](std::exception_ptr) {}));
    }

    void release(std::size_t count) {
        released_ += count;
        release_.notify_all();
    }

    // The kernel takes a connection, whatever the listener does.
    tcp::socket call() {
        tcp::socket socket(context_);
        socket.connect(listener_->endpoint());
        return socket;
    }

    // Everything that can happen now.
    void settle() {
        context_.restart();
        while (context_.poll() > 0) context_.restart();
    }

    static bool is_closed(tcp::socket& socket) {
        std::array<char, 1> byte{};
        boost::system::error_code error;
        socket.non_blocking(true);
        socket.read_some(asio::buffer(byte), error);
        return error && error != asio::error::would_block;
    }

    std::optional<Listener> listener_;
    asio::cancellation_signal stop_;
    Event release_{context_.get_executor()};
    std::size_t begun_ = 0;
    std::size_t released_ = 0;
};

TEST_F(PeerListener, further_handshakes_wait_until_one_has_ended) {
    ListenerLimits limits;
    limits.max_handshakes = 2;
    listen(limits);
    std::vector<tcp::socket> calls;
    for (int i = 0; i < 3; ++i) calls.push_back(call());
    settle();
    EXPECT_EQ(begun_, 2U);
    EXPECT_FALSE(is_closed(calls[2]));
    release(1);
    settle();
    EXPECT_EQ(begun_, 3U);
    EXPECT_EQ(listener_->figures().accepted, 3U);
}

TEST_F(PeerListener, survives_the_want_of_descriptors) {
    ListenerLimits limits;
    limits.accept_pause = 5ms;
    listen(limits);
    settle();
    const auto socket = call();
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 0;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    settle();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(listener_->figures().failures, 1U);
    EXPECT_EQ(begun_, 0U);
    run(sleep_for(50ms));
    EXPECT_EQ(begun_, 1U);
}

TEST_F(PeerListener, close_ends_the_handshakes) {
    listen();
    auto socket = call();
    settle();
    EXPECT_EQ(begun_, 1U);
    stop_.emit(asio::cancellation_type::terminal);
    run(listener_->close());
    EXPECT_TRUE(is_closed(socket));
    EXPECT_THROW(call(), boost::system::system_error);
}

TEST_F(PeerListener, says_why_it_cannot_listen) {
    listen();
    try {
        const Listener second(context_.get_executor(), listener_->endpoint());
        FAIL() << "listens";
    } catch (const Failure& failure) {
        const std::string port = std::to_string(listener_->endpoint().port());
        EXPECT_NE(std::string(failure.what()).find("127.0.0.1:" + port), std::string::npos);
    }
}

TEST_F(PeerListener, takes_ipv4_on_the_ipv6_wildcard) {
    try {
        listener_.emplace(context_.get_executor(), tcp::endpoint(asio::ip::address_v6::any(), 0));
    } catch (const Failure&) {
        GTEST_SKIP() << "no IPv6 here";
    }
    tcp::socket socket(context_);
    socket.connect({asio::ip::address_v4::loopback(), listener_->endpoint().port()});
}

class Resolve : public LoopbackPeers {
  protected:
    std::vector<tcp::endpoint> resolved(const HostPort& host_port) {
        std::vector<tcp::endpoint> endpoints;
        const auto ask = [&]() -> Task<> { endpoints = co_await resolve(host_port); };
        run(ask());
        return endpoints;
    }
};

TEST_F(Resolve, addresses_are_taken_as_they_are) {
    EXPECT_EQ(resolved({"1.2.3.4", 5}), std::vector{*parse_endpoint("1.2.3.4:5")});
    EXPECT_EQ(resolved({"2001:db8::1", 5}), std::vector{*parse_endpoint("[2001:db8::1]:5")});
}

TEST_F(Resolve, names_are_looked_up) {
    const auto endpoints = resolved({"localhost", 77});
    ASSERT_FALSE(endpoints.empty());
    for (const auto& endpoint : endpoints) {
        EXPECT_TRUE(endpoint.address().is_loopback());
        EXPECT_EQ(endpoint.port(), 77);
    }
}

TEST_F(Resolve, what_is_no_name_has_no_addresses) {
    EXPECT_TRUE(resolved({std::string(300, 'a'), 1}).empty());
}

}  // namespace
}  // namespace gradient::node
