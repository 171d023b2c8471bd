#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace gradient::node {

/// Base64 of RFC 4648 with padding.
[[nodiscard]] std::string base64(std::span<const std::uint8_t> bytes);

/// The bytes that a base64 text with padding spells; an exception for anything else.
[[nodiscard]] std::string base64_decode(std::string_view text);

/// Credentials of one run: user name "gradient" and 32 random bytes in hexadecimal, in a file that
/// only the owner can read. Whoever can read the file may use the RPC.
class Cookie {
  public:
    /// Draws new credentials and writes them to `file` with mode 0600, replacing those of an
    /// earlier run.
    [[nodiscard]] static Cookie create(const std::filesystem::path& file);

    /// Reads the credentials of a running node.
    [[nodiscard]] static Cookie read(const std::filesystem::path& file);

    /// The value of an HTTP Authorization header (Basic).
    [[nodiscard]] std::string authorization() const;

    /// Whether `header` is the right Authorization value; takes as long for a wrong one of the same
    /// length.
    [[nodiscard]] bool accepts(std::string_view header) const noexcept;

  private:
    explicit Cookie(std::string credentials);
    std::string credentials_;  // user:secret
    std::string encoded_;      // its base64
};

}  // namespace gradient::node
