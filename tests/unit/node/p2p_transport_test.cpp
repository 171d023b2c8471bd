// Frames, hello and goodbye over real sockets.

#include "node/concurrency/join.hpp"
#include "node/p2p/handshake.hpp"
#include "tests/support/loopback_peers.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <variant>

namespace gradient::node {
namespace {

using namespace std::chrono_literals;
using boost::system::system_error;

Frame frame_of(const Message& message) {
    return std::make_shared<const chain::Bytes>(encode_frame(message));
}

// The header of a frame with a payload of that size.
chain::Bytes header(std::size_t size, std::size_t type) {
    chain::Bytes bytes;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        bytes.push_back(static_cast<std::uint8_t>(size >> shift));
    }
    bytes.push_back(static_cast<std::uint8_t>(type));
    return bytes;
}

std::size_t type_of(const Message& message) {
    return message.index();
}

class Transport : public LoopbackPeers {
  protected:
    static Task<> send(Connection& connection, Message message) {
        connection.send(message);
        co_await connection.flush();
    }

    static Task<> read(Connection& connection, std::vector<Message>& out, std::size_t count) {
        while (out.size() < count) out.push_back(co_await connection.receive());
    }

    // Alice's end of a connection without the framing; Bob's is pair_.server.
    std::unique_ptr<TlsStream> connect_raw(ConnectionLimits limits) {
        auto stream = std::make_unique<TlsStream>(context_, alice_.client_context());
        const auto call = [&]() -> Task<> {
            auto& socket = stream->next_layer();
            co_await socket.async_connect(acceptor_.local_endpoint(), asio::use_awaitable);
            co_await stream->async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
        };
        run(accept_into(pair_.server, limits), call());
        return stream;
    }

    static Task<> write(TlsStream& stream, const chain::Bytes& bytes) {
        co_await asio::async_write(stream, asio::buffer(bytes), asio::use_awaitable);
    }

    // What the receiver holds against whoever sends that.
    std::optional<Offence> fault_of(const chain::Bytes& bytes, ConnectionLimits limits = {}) {
        const auto stream = connect_raw(limits);
        std::vector<Message> none;
        try {
            run(write(*stream, bytes), read(*pair_.server, none, 1));
        } catch (const PeerFault& fault) {
            return fault.offence();
        }
        return std::nullopt;
    }

    // Gives a frame up after that time.
    static ConnectionLimits frames_within(std::chrono::milliseconds time) {
        ConnectionLimits limits;
        limits.frame_rate = {time, std::size_t{1} << 30U};
        return limits;
    }

    // Waits no longer than that for a peer that lets close() wait.
    static ConnectionLimits closing_within(std::chrono::milliseconds flush,
                                           std::chrono::milliseconds tls_close) {
        ConnectionLimits limits;
        limits.flush_timeout = flush;
        limits.tls_close_timeout = tls_close;
        return limits;
    }

    ConnectedPair pair_;
};

TEST_F(Transport, messages_come_in_order_and_are_counted) {
    pair_ = connect();
    TaskData data;
    data.bytes.resize(chain::kDataChunkBytes, 7);
    const std::vector<Message> sent = {Ping{1, {}}, data, GetAddresses{}, Pong{2}};
    std::vector<Message> received;
    for (const auto& message : sent) {
        EXPECT_EQ(pair_.client->send(message), SendOutcome::queued);
    }
    EXPECT_GT(pair_.client->queued_bytes(), chain::kDataChunkBytes);
    const auto before = pair_.server->last_receipt();
    run(pair_.client->flush(), read(*pair_.server, received, sent.size()));
    EXPECT_EQ(received, sent);
    EXPECT_EQ(pair_.client->queued_bytes(), 0U);
    EXPECT_GE(pair_.server->last_receipt(), before);
    for (const auto& message : sent) {
        const std::size_t size = frame_of(message)->size();
        EXPECT_EQ(pair_.client->sent().messages.at(type_of(message)), 1U);
        EXPECT_EQ(pair_.client->sent().bytes.at(type_of(message)), size);
        EXPECT_EQ(pair_.server->received().messages.at(type_of(message)), 1U);
        EXPECT_EQ(pair_.server->received().bytes.at(type_of(message)), size);
    }
}

TEST_F(Transport, a_length_above_the_limit_is_refused_before_a_byte_of_it) {
    const std::size_t type = type_of(BlockMessage{});
    const std::size_t most = max_payload_bytes(static_cast<std::uint8_t>(type)).value();
    EXPECT_EQ(fault_of(header(most + 1, type)), Offence(ProtocolOffence::frame_too_large));
    EXPECT_EQ(fault_of(header(0xffffffff, type)), Offence(ProtocolOffence::frame_too_large));
    EXPECT_EQ(pair_.server->reader().payload_capacity(), 0U);
    EXPECT_EQ(fault_of(header(9, type_of(Pong{}))), Offence(ProtocolOffence::frame_too_large));
}

TEST_F(Transport, types_that_do_not_exist_are_refused) {
    EXPECT_EQ(fault_of(header(0, kMessageTypes)), Offence(ProtocolOffence::unknown_type));
    EXPECT_EQ(fault_of(header(0, 255)), Offence(ProtocolOffence::unknown_type));
}

TEST_F(Transport, a_payload_that_does_not_decode_is_refused) {
    EXPECT_EQ(fault_of(header(0, type_of(Pong{}))), Offence(chain::CodecError::truncated));
    auto goodbye = header(1, type_of(Goodbye{}));
    goodbye.push_back(200);
    EXPECT_EQ(fault_of(goodbye), Offence(chain::CodecError::bad_value));
}

TEST_F(Transport, memory_follows_the_bytes_and_not_the_claim) {
    const std::size_t type = type_of(BlockMessage{});
    auto bytes = header(chain::kMaxBlockBytes, type);
    bytes.resize(bytes.size() + 50'000);
    EXPECT_EQ(fault_of(bytes, frames_within(300ms)), Offence(ProtocolOffence::frame_too_slow));
    EXPECT_GE(pair_.server->reader().payload_capacity(), 50'000U);
    EXPECT_LE(pair_.server->reader().payload_capacity(), 2 * 50'000U + FrameReader::kStepBytes);
}

TEST_F(Transport, a_frame_that_does_not_end_is_given_up) {
    EXPECT_EQ(fault_of({8, 0}, frames_within(20ms)), Offence(ProtocolOffence::frame_too_slow));
    EXPECT_EQ(fault_of({8, 0, 0, 0, 1, 1, 2, 3}, frames_within(20ms)),
              Offence(ProtocolOffence::frame_too_slow));
}

TEST_F(Transport, a_byte_now_and_then_does_not_prolong_a_frame) {
    const auto stream = connect_raw(frames_within(40ms));
    const auto trickle = [&]() -> Task<> {
        const auto start = header(65'536, type_of(TaskData{}));
        const chain::Bytes byte(1);
        co_await write(*stream, start);
        while (true) {
            co_await sleep_for(2ms);
            co_await write(*stream, byte);
        }
    };
    std::optional<Offence> offence;
    const auto judge = [&]() -> Task<> {
        try {
            co_await pair_.server->receive();
        } catch (const PeerFault& fault) {
            offence = fault.offence();
        }
    };
    const auto both = [&]() -> Task<> {
        auto sending = trickle();
        auto judging = judge();
        co_await wait_any(std::move(sending), std::move(judging));
    };
    run(both());
    EXPECT_EQ(offence, Offence(ProtocolOffence::frame_too_slow));
}

// Header and payload have one deadline together, which moves with what comes.
TEST_F(Transport, a_slow_frame_that_keeps_its_rate_may_take_long) {
    ConnectionLimits limits;
    limits.frame_rate = {100ms, 20'000};
    const auto stream = connect_raw(limits);
    constexpr std::size_t kSize = 20'000;
    const auto slow = [&]() -> Task<> {
        const auto start = header(kSize, type_of(TaskData{}));
        co_await write(*stream, start);
        for (std::size_t sent = 0; sent < kSize; sent += 1000) {
            co_await sleep_for(10ms);  // 100,000 a second at most, over 200 ms at least
            co_await write(*stream, chain::Bytes(1000));
        }
    };
    std::optional<Offence> offence;
    const auto began = std::chrono::steady_clock::now();
    const auto judge = [&]() -> Task<> {
        try {
            co_await pair_.server->receive();
        } catch (const PeerFault& fault) {
            offence = fault.offence();
        }
    };
    run(slow(), judge());
    EXPECT_GE(std::chrono::steady_clock::now() - began, 2 * limits.frame_rate.base);
    ASSERT_TRUE(offence);  // it is no message of its type
    EXPECT_TRUE(std::holds_alternative<chain::CodecError>(*offence));
}

// A length alone buys no time.
TEST_F(Transport, a_claimed_length_that_nothing_follows_is_given_up_at_once) {
    ConnectionLimits limits;
    limits.frame_rate = {30ms, 1000};  // at its own rate the frame would have four hours
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(fault_of(header(chain::kMaxBlockBytes, type_of(BlockMessage{})), limits),
              Offence(ProtocolOffence::frame_too_slow));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(Transport, silence_between_frames_is_no_fault) {
    pair_ = connect({}, frames_within(20ms));
    std::vector<Message> received;
    const auto late = [&]() -> Task<> {
        co_await sleep_for(60ms);
        co_await send(*pair_.client, Ping{5, {}});
    };
    run(late(), read(*pair_.server, received, 1));
    EXPECT_EQ(received.front(), Message(Ping{5, {}}));
}

TEST_F(Transport, a_peer_that_reads_nothing_is_given_up_at_the_queue_limit) {
    auto limits = closing_within(20ms, 20ms);
    limits.max_send_queue_bytes = std::size_t{16} << 20U;
    pair_ = connect(limits);
    SnapshotPart part;
    part.bytes.resize(kSnapshotPartBytes);
    const Frame frame = frame_of(part);
    auto outcome = SendOutcome::queued;
    const auto fill = [&]() -> Task<> {
        while (outcome == SendOutcome::queued) {
            outcome = pair_.client->send(frame);
            EXPECT_LE(pair_.client->queued_bytes(), limits.max_send_queue_bytes);
            co_await sleep_for(0ms);
        }
        co_await pair_.client->close(GoodbyeReason::too_slow);
    };
    const auto session = [&]() -> Task<> {
        auto filling = fill();
        co_await wait_any(pair_.client->run_writer(), std::move(filling));
    };
    run(session());
    EXPECT_EQ(outcome, SendOutcome::too_slow);
    EXPECT_EQ(pair_.client->send(frame), SendOutcome::closed);
}

TEST_F(Transport, tiny_frames_are_charged_for_the_memory_they_take) {
    ConnectionLimits limits;
    limits.max_send_queue_bytes = 100 * (13 + kQueuedFrameOverheadBytes);
    pair_ = connect(limits);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(pair_.client->send(Pong{}), SendOutcome::queued);
    EXPECT_EQ(pair_.client->send(Pong{}), SendOutcome::too_slow);
}

TEST_F(Transport, long_messages_pass_both_ways_at_once) {
    pair_ = connect();
    constexpr std::size_t kParts = 24;
    std::vector<Message> by_client;
    std::vector<Message> by_server;
    const auto keep_writing = [&](Connection& connection, std::vector<Message>& received,
                                  std::vector<Message>& others) -> Task<> {
        auto talk = [&]() -> Task<> {
            for (std::size_t i = 0; i < kParts; ++i) {
                SnapshotPart part;
                part.part.bytes[0] = static_cast<std::uint8_t>(i);
                part.bytes.resize(kSnapshotPartBytes, static_cast<std::uint8_t>(i));
                connection.send(part);
                connection.send(Ping{i, {}});
            }
            co_await read(connection, received, 2 * kParts);
            while (others.size() < 2 * kParts) co_await sleep_for(1ms);
        };
        auto talking = talk();
        co_await wait_any(connection.run_writer(), std::move(talking));
    };
    run(keep_writing(*pair_.client, by_client, by_server),
        keep_writing(*pair_.server, by_server, by_client));
    ASSERT_EQ(by_client.size(), 2 * kParts);
    EXPECT_TRUE(by_client == by_server);
    for (std::size_t i = 0; i < kParts; ++i) {
        const auto& part = std::get<SnapshotPart>(by_client.at(2 * i));
        EXPECT_EQ(part.bytes, chain::Bytes(kSnapshotPartBytes, static_cast<std::uint8_t>(i)));
        EXPECT_EQ(by_client.at(2 * i + 1), Message(Ping{i, {}}));
    }
}

TEST_F(Transport, close_sends_what_waits_then_goodbye_then_the_end_of_tls) {
    pair_ = connect();
    std::vector<Message> received;
    boost::system::error_code end;
    const auto session = [&]() -> Task<> {
        pair_.client->send(Ping{1, {}});
        pair_.client->send(Ping{2, {}});
        co_await pair_.client->close(GoodbyeReason::shutdown);
    };
    const auto client = [&]() -> Task<> {
        auto ending = session();
        co_await wait_any(pair_.client->run_writer(), std::move(ending));
    };
    const auto server = [&]() -> Task<> {
        try {
            while (true) received.push_back(co_await pair_.server->receive());
        } catch (const system_error& error) {
            end = error.code();
        }
        pair_.server.reset();
    };
    run(client(), server());
    EXPECT_EQ(received,
              (std::vector<Message>{Ping{1, {}}, Ping{2, {}}, Goodbye{GoodbyeReason::shutdown}}));
    EXPECT_EQ(end, asio::error::eof);  // and not stream_truncated
}

TEST_F(Transport, close_works_without_a_writer_and_ends_a_receive_under_way) {
    pair_ = connect(closing_within(1s, 20ms));
    std::vector<Message> received;
    bool ended = false;
    const auto wait = [&]() -> Task<> {
        try {
            co_await pair_.client->receive();
        } catch (const system_error&) {
            ended = true;
        }
    };
    run(pair_.client->close(GoodbyeReason::banned), wait(), read(*pair_.server, received, 1));
    EXPECT_EQ(received.front(), Message(Goodbye{GoodbyeReason::banned}));
    EXPECT_TRUE(ended);
    EXPECT_EQ(pair_.client->send(Ping{}), SendOutcome::closed);
}

TEST_F(Transport, nothing_follows_a_frame_that_was_cut) {
    pair_ = connect();
    SnapshotPart part;
    part.bytes.resize(kSnapshotPartBytes);
    for (int i = 0; i < 30; ++i) pair_.client->send(part);
    const auto cut = [&]() -> Task<> {
        co_await wait_any(pair_.client->run_writer(), sleep_for(20ms));
    };
    run(cut());
    std::vector<Message> received;
    boost::system::error_code end;
    const auto read_all = [&]() -> Task<> {
        try {
            co_await read(*pair_.server, received, 31);
        } catch (const system_error& error) {
            end = error.code();
        }
    };
    run(pair_.client->close(GoodbyeReason::shutdown), read_all());
    EXPECT_LT(received.size(), 30U);
    for (const auto& message : received) EXPECT_EQ(message, Message(part));
    EXPECT_TRUE(end);
    EXPECT_NE(end.category(), asio::error::get_ssl_category());  // no damaged record
}

TEST_F(Transport, sessions_under_way_leak_nothing_when_the_context_goes) {
    const auto session = [](std::unique_ptr<Connection> connection) -> Task<> {
        auto reading = [](Connection& from) -> Task<> {
            while (true) co_await from.receive();
        };
        auto read = reading(*connection);
        co_await wait_any(connection->run_writer(), std::move(read));
    };
    pair_ = connect();
    SnapshotPart part;
    part.bytes.resize(kSnapshotPartBytes);
    for (int i = 0; i < 20; ++i) pair_.client->send(part);
    asio::co_spawn(context_, session(std::move(pair_.client)), asio::detached);
    asio::co_spawn(context_, session(std::move(pair_.server)), asio::detached);
    context_.restart();
    for (int i = 0; i < 200; ++i) context_.run_one();
}

class HelloExchange : public Transport {
  protected:
    struct Result {
        std::optional<Hello> hello;
        std::optional<Offence> offence;
        std::optional<GoodbyeReason> ended;
        bool failed = false;
    };

    static Hello hello() {
        Hello made;
        made.network_id = 7;
        made.genesis.bytes[0] = 9;
        made.agent = "test";
        return made;
    }

    static Task<> exchange(Connection& connection, Hello ours, Result& result) {
        try {
            result.hello = co_await exchange_hello(connection, ours);
        } catch (const PeerFault& fault) {
            result.offence = fault.offence();
        } catch (const HandshakeEnded& end) {
            result.ended = end.reason();
        } catch (const system_error&) {
            result.failed = true;
        }
    }
};

TEST_F(HelloExchange, both_sides_get_the_other_s) {
    pair_ = connect();
    Hello other = hello();
    other.listen_port = 99;
    Result client;
    Result server;
    run(exchange(*pair_.client, hello(), client), exchange(*pair_.server, other, server));
    EXPECT_EQ(client.hello, other);
    EXPECT_EQ(server.hello, hello());
}

TEST_F(HelloExchange, other_networks_part_with_goodbye) {
    const std::vector<std::function<void(Hello&)>> changes = {
        [](Hello& h) { h.network_id = 8; },
        [](Hello& h) { h.genesis.bytes[31] = 1; },
        [](Hello& h) { h.protocol_version = 2; },
    };
    for (const auto& change : changes) {
        pair_ = connect({}, closing_within(1s, 20ms));
        Hello other = hello();
        change(other);
        Result result;
        std::vector<Message> received;
        const auto stranger = [&]() -> Task<> {
            co_await send(*pair_.client, other);
            co_await read(*pair_.client, received, 2);
        };
        run(exchange(*pair_.server, hello(), result), stranger());
        EXPECT_EQ(result.offence, Offence(ProtocolOffence::wrong_network));
        EXPECT_EQ(received.at(0), Message(hello()));
        EXPECT_EQ(received.at(1), Message(Goodbye{GoodbyeReason::wrong_network}));
    }
}

TEST_F(HelloExchange, a_node_that_has_called_itself_says_so) {
    const auto call = [this](std::unique_ptr<Connection>& out) -> Task<> {
        out =
            co_await Connection::connect(context_.get_executor(), bob_, acceptor_.local_endpoint());
    };
    run(accept_into(pair_.server), call(pair_.client));
    Result client;
    Result server;
    run(exchange(*pair_.client, hello(), client), exchange(*pair_.server, hello(), server));
    EXPECT_EQ(client.ended, GoodbyeReason::self);
    EXPECT_EQ(server.ended, GoodbyeReason::self);
}

TEST_F(HelloExchange, anything_else_before_hello_is_held_against_the_peer) {
    pair_ = connect();
    Result result;
    run(send(*pair_.client, Ping{1, {}}), exchange(*pair_.server, hello(), result));
    EXPECT_EQ(result.offence, Offence(ProtocolOffence::hello_expected));
}

TEST_F(HelloExchange, goodbye_in_place_of_hello_is_nobody_s_fault) {
    pair_ = connect();
    Result result;
    run(send(*pair_.client, Goodbye{GoodbyeReason::too_many_peers}),
        exchange(*pair_.server, hello(), result));
    EXPECT_EQ(result.ended, GoodbyeReason::too_many_peers);
}

TEST_F(HelloExchange, a_silent_peer_is_given_up) {
    auto limits = closing_within(1s, 20ms);
    limits.handshake_timeout = 500ms;  // TLS, too, must be over by then
    pair_ = connect({}, limits);
    Result result;
    std::vector<Message> received;
    run(exchange(*pair_.server, hello(), result), read(*pair_.client, received, 2));
    EXPECT_EQ(result.ended, GoodbyeReason::timeout);
    EXPECT_EQ(received.at(1), Message(Goodbye{GoodbyeReason::timeout}));
}

}  // namespace
}  // namespace gradient::node
