#pragma once

#include "node/rpc/cookie.hpp"
#include "node/rpc/method.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradient::node {

/// A user of the RPC beside the holder of the cookie. Its password is kept as HMAC-SHA256 under a
/// random salt: no more is needed, as `gradient rpc-user` draws passwords of 256 bits.
struct RpcUser {
    static constexpr std::size_t kHashBytes = 32;

    std::string name;
    RpcPermission permission = RpcPermission::read;
    std::string salt;
    std::array<std::uint8_t, kHashBytes> hash{};
};

/// Reads NAME:PERMISSION:SALT$HASH, as the setting rpc-user has it; throws Failure(usage) saying
/// what is wrong with it.
[[nodiscard]] RpcUser parse_rpc_user(const std::string& text);

/// A user with a new password.
struct NewRpcUser {
    std::string line;      ///< NAME:PERMISSION:SALT$HASH
    std::string password;  ///< 64 hexadecimal digits
};

/// Draws password and salt; throws Failure(usage) for a name that can't be one.
[[nodiscard]] NewRpcUser make_rpc_user(const std::string& name, RpcPermission permission);

/// Who is let in. The cookie is for whoever can read the data directory, and allows everything.
class Access {
  public:
    /// Throws Failure(usage) if two users have one name.
    Access(Cookie cookie, std::vector<RpcUser> users);

    /// Whose credentials the value of an HTTP Authorization header (Basic) holds; nothing if they
    /// are wrong. How long that takes tells nothing of names or passwords.
    [[nodiscard]] std::optional<RpcCaller> authenticate(std::string_view header) const;

  private:
    Cookie cookie_;
    std::vector<RpcUser> users_;
};

}  // namespace gradient::node
