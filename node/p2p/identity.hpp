#pragma once

#include "chain/crypto/key.hpp"
#include "node/p2p/peer_id.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace gradient::node {

/// The application protocol that both sides must name in the TLS handshake (ALPN).
inline constexpr std::string_view kApplicationProtocol = "gradient/1";
/// Most bytes of the certificate that the other side shows; ours has about 250.
inline constexpr std::size_t kMaxCertificateBytes = 4096;

/// The stream between two peers.
using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

/// What this node is to others: a key, a certificate that says no more than the key, and the TLS
/// contexts of both sides. The certificate lives in memory only.
class Identity {
  public:
    /// Throws std::runtime_error if OpenSSL refuses, for lack of memory or of Ed25519.
    explicit Identity(const chain::SecretKey& key);

    [[nodiscard]] const NodeId& node_id() const noexcept { return node_id_; }

    /// For connections that this node opens, and for those that others have opened. TLS 1.3 only,
    /// both sides with a self-signed Ed25519 certificate, no resumption.
    [[nodiscard]] boost::asio::ssl::context& client_context() noexcept { return client_; }
    [[nodiscard]] boost::asio::ssl::context& server_context() noexcept { return server_; }

  private:
    NodeId node_id_;
    boost::asio::ssl::context client_;
    boost::asio::ssl::context server_;
};

/// Who is at the other end, once the TLS handshake is over; nothing if it has not named our
/// application protocol.
[[nodiscard]] std::optional<NodeId> node_id_of(TlsStream& stream);

}  // namespace gradient::node
