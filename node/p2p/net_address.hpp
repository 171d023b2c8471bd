#pragma once

// Addresses of the network as peers use them: the sixteen bytes of an AddressRecord, Asio's
// endpoints and text.

#include "node/p2p/messages.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gradient::node {

/// An IP address as AddressRecord::ip holds it: network byte order, IPv4 mapped (::ffff:a.b.c.d).
using IpBytes = std::array<std::uint8_t, 16>;

/// The address as bytes. The scope of a link-local address is lost.
[[nodiscard]] IpBytes ip_bytes(const boost::asio::ip::address& address) noexcept;

/// The address of the bytes; mapped ones come back as IPv4.
[[nodiscard]] boost::asio::ip::address ip_address(const IpBytes& bytes) noexcept;

/// Where the record's node takes connections.
[[nodiscard]] boost::asio::ip::tcp::endpoint endpoint_of(const AddressRecord& record) noexcept;

/// What one owner of many addresses typically holds: /16 of IPv4 (mapped or not), /32 of IPv6.
struct NetworkGroup {
    /// 4 or 6, then the first bytes of the address.
    std::array<std::uint8_t, 5> bytes{};

    friend auto operator<=>(const NetworkGroup&, const NetworkGroup&) = default;
};

/// The group that the address belongs to.
[[nodiscard]] NetworkGroup network_group(const boost::asio::ip::address& address) noexcept;
[[nodiscard]] NetworkGroup network_group(const IpBytes& bytes) noexcept;

/// Longest name of a host (RFC 1035).
inline constexpr std::size_t kMaxHostNameBytes = 253;

/// A host, by address or by name, and a port that is not 0.
struct HostPort {
    std::string host;  ///< an IPv6 address stands without brackets
    std::uint16_t port = 0;

    friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// Reads HOST, HOST:PORT, [IPV6], [IPV6]:PORT or a bare IPv6 address; nothing if it is none of
/// these or the port is not in 1 .. 65535.
[[nodiscard]] std::optional<HostPort> parse_host_port(
    std::string_view text, std::uint16_t default_port = kDefaultPeerPort);

/// Reads the same with an address only, never a name.
[[nodiscard]] std::optional<boost::asio::ip::tcp::endpoint> parse_endpoint(
    std::string_view text, std::uint16_t default_port = kDefaultPeerPort);

/// ADDRESS:PORT, brackets round IPv6; what parse_endpoint reads.
[[nodiscard]] std::string format_endpoint(const boost::asio::ip::tcp::endpoint& endpoint);

/// HOST:PORT, brackets round IPv6; what parse_host_port reads.
[[nodiscard]] std::string format_host_port(const HostPort& host_port);

}  // namespace gradient::node
