#include "node/rpc/rpc_setup.hpp"

#include "node/setup/failure.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

namespace gradient::node {

HttpPlace rpc_place(const RpcSettings& settings) {
    HttpPlace place{settings.address, settings.port, std::nullopt, settings.hosts};
    if (settings.tls_certificate && settings.tls_key)
        place.tls = {*settings.tls_certificate, *settings.tls_key};
    const bool is_loopback = asio::ip::make_address(settings.address).is_loopback();
    if (!is_loopback && !place.tls && !settings.allow_plain) {
        throw Failure(ExitCode::usage,
                      fmt::format("The RPC would listen on {} without TLS, so that others could "
                                  "read passwords on their way: give --rpc-tls-certificate and "
                                  "--rpc-tls-key, or --rpc-allow-plain if you trust all of the "
                                  "network.",
                                  settings.address));
    }
    return place;
}

std::vector<RpcUser> rpc_users(const RpcSettings& settings) {
    std::vector<RpcUser> users;
    users.reserve(settings.users.size());
    for (const auto& text : settings.users) users.push_back(parse_rpc_user(text));
    return users;
}

}  // namespace gradient::node
