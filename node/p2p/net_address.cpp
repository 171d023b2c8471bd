#include "node/p2p/net_address.hpp"

#include <algorithm>
#include <charconv>

namespace gradient::node {

namespace {

namespace ip = boost::asio::ip;

bool is_mapped(const IpBytes& bytes) noexcept {
    constexpr std::array<std::uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin());
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc() || stop != end || port == 0) return std::nullopt;
    return port;
}

bool is_ipv6(std::string_view text) {
    boost::system::error_code error;
    ip::make_address_v6(text, error);
    return !error;
}

// Letters, digits, dots and hyphens: names and IPv4 addresses.
bool is_plain_host(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_';
    });
}

}  // namespace

IpBytes ip_bytes(const ip::address& address) noexcept {
    if (address.is_v6()) return address.to_v6().to_bytes();
    return ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes();
}

ip::address ip_address(const IpBytes& bytes) noexcept {
    if (!is_mapped(bytes)) return ip::address_v6(bytes);
    return ip::address_v4({bytes[12], bytes[13], bytes[14], bytes[15]});
}

ip::tcp::endpoint endpoint_of(const AddressRecord& record) noexcept {
    return {ip_address(record.ip), record.port};
}

NetworkGroup network_group(const IpBytes& bytes) noexcept {
    if (is_mapped(bytes)) return {{4, bytes[12], bytes[13]}};
    return {{6, bytes[0], bytes[1], bytes[2], bytes[3]}};
}

NetworkGroup network_group(const ip::address& address) noexcept {
    return network_group(ip_bytes(address));
}

std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
    if (is_ipv6(text)) return HostPort{std::string(text), default_port};
    std::string_view host = text;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        host = text.substr(1, close - 1);
        rest = text.substr(close + 1);
        if (!is_ipv6(host)) return std::nullopt;
    } else {
        const auto colon = text.find(':');
        host = text.substr(0, colon);
        if (colon != std::string_view::npos) rest = text.substr(colon);
        if (host.empty() || host.size() > kMaxHostNameBytes || !is_plain_host(host)) {
            return std::nullopt;
        }
    }
    if (rest.empty()) return HostPort{std::string(host), default_port};
    if (!rest.starts_with(':')) return std::nullopt;
    const auto port = parse_port(rest.substr(1));
    if (!port) return std::nullopt;
    return HostPort{std::string(host), *port};
}

std::optional<ip::tcp::endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
    const auto parts = parse_host_port(text, default_port);
    if (!parts) return std::nullopt;
    boost::system::error_code error;
    const auto address = ip::make_address(parts->host, error);
    if (error) return std::nullopt;
    return ip::tcp::endpoint(address, parts->port);
}

std::string format_host_port(const HostPort& host_port) {
    const bool brackets = host_port.host.find(':') != std::string::npos;
    const std::string host = brackets ? "[" + host_port.host + "]" : host_port.host;
    return host + ":" + std::to_string(host_port.port);
}

std::string format_endpoint(const ip::tcp::endpoint& endpoint) {
    return format_host_port({endpoint.address().to_string(), endpoint.port()});
}

}  // namespace gradient::node
