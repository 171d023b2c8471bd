#include "node/rpc/http_origin.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace gradient::node {

namespace {

// Without the port, and without the brackets of IPv6.
std::string_view host_name(std::string_view host) {
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        return end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
    }
    return host.substr(0, host.find(':'));
}

bool is_ip_address(std::string_view name) {
    boost::system::error_code error;
    boost::asio::ip::make_address(std::string(name), error);
    return !error;
}

}  // namespace

bool names_this_node(std::string_view host, const std::vector<std::string>& names) {
    const std::string_view name = host_name(host);
    return boost::beast::iequals(name, "localhost") || is_ip_address(name) ||
           std::any_of(names.begin(), names.end(),
                       [&](const std::string& each) { return boost::beast::iequals(name, each); });
}

bool is_same_origin(std::string_view origin, std::string_view host) {
    constexpr std::string_view kMark = "://";
    const auto mark = origin.find(kMark);
    if (mark == std::string_view::npos) return false;
    const auto scheme = origin.substr(0, mark);
    return (scheme == "http" || scheme == "https") &&
           boost::beast::iequals(origin.substr(mark + kMark.size()), host);
}

}  // namespace gradient::node
