#include "node/p2p/resolve.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <string>

namespace gradient::node {

using asio::ip::tcp;

Task<std::vector<tcp::endpoint>> resolve(HostPort host_port) {
    boost::system::error_code no_address;
    const auto address = asio::ip::make_address(host_port.host, no_address);
    if (!no_address) co_return std::vector<tcp::endpoint>{{address, host_port.port}};

    tcp::resolver resolver(co_await asio::this_coro::executor);
    constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
    const auto [error, results] = co_await resolver.async_resolve(
        host_port.host, std::to_string(host_port.port), tcp::resolver::numeric_service, kResult);
    if (error) spdlog::warn("Peers: {}: {}", host_port.host, error.message());
    std::vector<tcp::endpoint> endpoints;
    for (const auto& result : results) {
        if (endpoints.size() == kMaxResolvedAddresses) break;
        endpoints.push_back(result.endpoint());
    }
    co_return endpoints;
}

}  // namespace gradient::node
