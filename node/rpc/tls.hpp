#pragma once

#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <string>

namespace gradient::node {

/// Where the RPC's certificate and key lie, both in PEM.
struct TlsFiles {
    std::filesystem::path certificate;  ///< the server's own first, then what leads to its root
    std::filesystem::path key;          ///< without a passphrase
};

/// Largest file of either kind.
inline constexpr std::size_t kMaxTlsFileBytes = 256U << 10U;

/// A server's side of TLS 1.2 or later; throws Failure(usage) naming the file, what is wrong with
/// it and what to do.
[[nodiscard]] boost::asio::ssl::context server_tls(const TlsFiles& files);

/// A client's side that accepts the first certificate of a PEM text and no other, whatever its
/// names and dates; throws Failure(network) if the text has none.
[[nodiscard]] boost::asio::ssl::context pinning_tls(const std::string& certificate);

}  // namespace gradient::node
