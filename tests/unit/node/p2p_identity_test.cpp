// Who gets through the TLS handshake and who doesn't, over real sockets.

#include "tests/support/loopback_peers.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string>
#include <string_view>

namespace gradient::node {
namespace {

namespace ssl = asio::ssl;

struct Deleter {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter>;

Key ed25519() {
    return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

Key rsa() {
    return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
}

// A listener's choice: whatever is offered first.
int choose_first(SSL* /*tls*/, const unsigned char** chosen, unsigned char* size,
                 const unsigned char* offered, unsigned /*offered_size*/, void* /*argument*/) {
    *size = offered[0];
    *chosen = offered + 1;
    return SSL_TLSEXT_ERR_OK;
}

// The other side of a handshake, as strange as a test wants it.
struct Stranger {
    Key key = ed25519();
    Key signer;  // of the certificate; none: the key itself
    int version = TLS1_3_VERSION;
    std::string alpn = "\x0agradient/1";
    bool shows_certificate = true;
    bool shows_another = false;
    std::string comment;  // in the certificate

    [[nodiscard]] std::unique_ptr<X509, Deleter> certificate() const {
        std::unique_ptr<X509, Deleter> x509(X509_new());
        X509_set_version(x509.get(), 2);
        X509_gmtime_adj(X509_getm_notBefore(x509.get()), -1000);
        X509_gmtime_adj(X509_getm_notAfter(x509.get()), 1000);
        X509_set_pubkey(x509.get(), key.get());
        if (!comment.empty()) {
            X509_EXTENSION* const extension =
                X509V3_EXT_conf_nid(nullptr, nullptr, NID_netscape_comment, comment.c_str());
            CHECK(extension != nullptr && X509_add_ext(x509.get(), extension, -1) == 1);
            X509_EXTENSION_free(extension);
        }
        EVP_PKEY* const by = signer ? signer.get() : key.get();
        const bool own_hash = EVP_PKEY_get_id(by) == EVP_PKEY_ED25519;
        CHECK(X509_sign(x509.get(), by, own_hash ? nullptr : EVP_sha256()) > 0);
        return x509;
    }

    [[nodiscard]] ssl::context context() const {
        ssl::context made(ssl::context::tls);
        SSL_CTX* const tls = made.native_handle();
        SSL_CTX_set_min_proto_version(tls, version);
        SSL_CTX_set_max_proto_version(tls, version);
        if (shows_certificate) {
            CHECK(SSL_CTX_use_certificate(tls, certificate().get()) == 1);
            CHECK(SSL_CTX_use_PrivateKey(tls, key.get()) == 1);
            if (shows_another) CHECK(SSL_CTX_add1_chain_cert(tls, certificate().get()) == 1);
        }
        if (!alpn.empty()) {
            SSL_CTX_set_alpn_select_cb(tls, choose_first, nullptr);
            const auto* const list = reinterpret_cast<const unsigned char*>(alpn.data());
            CHECK(SSL_CTX_set_alpn_protos(tls, list, static_cast<unsigned>(alpn.size())) == 0);
        }
        return made;
    }
};

class PeerIdentity : public LoopbackPeers {
  protected:
    // A stranger calls Bob: the handshake, then one byte, which only comes if Bob goes on.
    Task<> call_as(const Stranger& stranger) {
        auto tls = stranger.context();
        TlsStream stream(context_, tls);
        boost::system::error_code ignored;
        co_await stream.next_layer().async_connect(acceptor_.local_endpoint(), asio::use_awaitable);
        co_await stream.async_handshake(ssl::stream_base::client,
                                        asio::redirect_error(asio::use_awaitable, ignored));
        std::array<char, 1> byte{};
        co_await stream.async_read_some(asio::buffer(byte),
                                        asio::redirect_error(asio::use_awaitable, ignored));
    }

    // A stranger is called.
    Task<> answer_as(const Stranger& stranger) {
        auto tls = stranger.context();
        TlsStream stream(co_await acceptor_.async_accept(asio::use_awaitable), tls);
        boost::system::error_code ignored;
        co_await stream.async_handshake(ssl::stream_base::server,
                                        asio::redirect_error(asio::use_awaitable, ignored));
    }

    Task<> accept_and_drop(bool& accepted) {
        std::unique_ptr<Connection> connection;
        boost::system::error_code error;
        try {
            co_await accept_into(connection);
        } catch (const boost::system::system_error&) {
        }
        accepted = connection != nullptr;
    }

    bool lets_in(const Stranger& stranger) {
        bool accepted = false;
        run(accept_and_drop(accepted), call_as(stranger));
        return accepted;
    }
};

TEST_F(PeerIdentity, both_sides_learn_the_key_of_the_other) {
    const auto pair = connect();
    EXPECT_EQ(pair.client->node_id(), key_number(2).public_key());
    EXPECT_EQ(pair.server->node_id(), key_number(1).public_key());
    EXPECT_EQ(pair.client->own_id(), alice_.node_id());
    EXPECT_EQ(pair.client->direction(), Direction::outbound);
    EXPECT_EQ(pair.server->direction(), Direction::inbound);
    EXPECT_EQ(pair.client->remote_endpoint(), acceptor_.local_endpoint());
}

TEST_F(PeerIdentity, a_stranger_with_a_self_signed_ed25519_certificate_gets_in) {
    EXPECT_TRUE(lets_in({}));
}

TEST_F(PeerIdentity, tls_1_2_stays_out) {
    Stranger stranger;
    stranger.version = TLS1_2_VERSION;
    EXPECT_FALSE(lets_in(stranger));
}

TEST_F(PeerIdentity, nobody_gets_in_without_a_certificate) {
    Stranger stranger;
    stranger.shows_certificate = false;
    EXPECT_FALSE(lets_in(stranger));
}

TEST_F(PeerIdentity, other_kinds_of_keys_stay_out) {
    Stranger stranger;
    stranger.key = rsa();
    EXPECT_FALSE(lets_in(stranger));
    stranger.key = Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    EXPECT_FALSE(lets_in(stranger));
}

TEST_F(PeerIdentity, a_certificate_that_another_key_has_signed_stays_out) {
    Stranger stranger;
    stranger.signer = ed25519();
    EXPECT_FALSE(lets_in(stranger));
}

TEST_F(PeerIdentity, a_chain_of_certificates_stays_out) {
    Stranger stranger;
    stranger.shows_another = true;
    EXPECT_FALSE(lets_in(stranger));
}

TEST_F(PeerIdentity, certificates_are_short) {
    Stranger stranger;
    stranger.comment = std::string(kMaxCertificateBytes / 2, 'a');
    EXPECT_TRUE(lets_in(stranger));
    stranger.comment = std::string(kMaxCertificateBytes, 'a');
    EXPECT_FALSE(lets_in(stranger));
}

TEST_F(PeerIdentity, another_application_protocol_stays_out) {
    for (const auto* const alpn : {"", "\x02h2", "\x0agradient/2"}) {
        Stranger stranger;
        stranger.alpn = alpn;
        EXPECT_FALSE(lets_in(stranger)) << alpn;
    }
}

TEST_F(PeerIdentity, who_is_called_must_fulfil_the_same) {
    const auto is_accepted = [this](const Stranger& stranger) {
        std::unique_ptr<Connection> connection;
        try {
            run(connect_into(connection), answer_as(stranger));
        } catch (const boost::system::system_error&) {
            return false;
        }
        return connection->node_id().bytes != NodeId{}.bytes;
    };
    EXPECT_TRUE(is_accepted({}));
    Stranger with_rsa;
    with_rsa.key = rsa();
    EXPECT_FALSE(is_accepted(with_rsa));
    Stranger signed_by_another;
    signed_by_another.signer = ed25519();
    EXPECT_FALSE(is_accepted(signed_by_another));
    Stranger silent;
    silent.alpn.clear();
    EXPECT_FALSE(is_accepted(silent));
}

TEST_F(PeerIdentity, what_is_not_tls_is_refused) {
    const auto talk = [this]() -> Task<> {
        tcp::socket socket(context_);
        co_await socket.async_connect(acceptor_.local_endpoint(), asio::use_awaitable);
        const std::string_view request = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
        co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
        std::array<char, 64> answer{};
        boost::system::error_code end;
        while (!end) {
            co_await socket.async_read_some(asio::buffer(answer),
                                            asio::redirect_error(asio::use_awaitable, end));
        }
    };
    bool accepted = true;
    run(accept_and_drop(accepted), talk());
    EXPECT_FALSE(accepted);
}

TEST_F(PeerIdentity, a_silent_handshake_is_given_up) {
    std::unique_ptr<Connection> connection;
    ConnectionLimits limits;
    limits.handshake_timeout = std::chrono::milliseconds(20);
    tcp::socket socket(context_);
    socket.connect(acceptor_.local_endpoint());
    try {
        run(accept_into(connection, limits));
        FAIL() << "accepted";
    } catch (const boost::system::system_error& error) {
        EXPECT_EQ(error.code(), asio::error::timed_out);
    }
}

TEST_F(PeerIdentity, sessions_cannot_be_resumed) {
    Stranger stranger;
    auto tls = stranger.context();
    TlsStream stream(context_, tls);
    std::unique_ptr<Connection> connection;
    const auto shake = [&]() -> Task<> {
        co_await stream.next_layer().async_connect(acceptor_.local_endpoint(), asio::use_awaitable);
        co_await stream.async_handshake(ssl::stream_base::client, asio::use_awaitable);
    };
    run(accept_into(connection), shake());
    // A ticket would come before the first message.
    const auto exchange = [&]() -> Task<> {
        connection->send(Ping{7, {}});
        co_await connection->flush();
        std::array<char, 64> bytes{};
        co_await stream.async_read_some(asio::buffer(bytes), asio::use_awaitable);
    };
    run(exchange());
    EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get_session(stream.native_handle())), 0);
}

}  // namespace
}  // namespace gradient::node
