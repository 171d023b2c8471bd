#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace gradient::node {

/// An error that the node answered: its JSON-RPC code and sentence.
class RpcFailure : public std::runtime_error {
  public:
    RpcFailure(std::int64_t code, const std::string& message)
        : std::runtime_error(message), code_(code) {}
    [[nodiscard]] std::int64_t code() const noexcept { return code_; }

  private:
    std::int64_t code_;
};

/// A blocking client of a node on this machine, found through its data directory.
class RpcClient {
  public:
    /// To connect, and for an answer beyond what a method is asked to wait.
    static constexpr std::chrono::seconds kTimeout{30};

    /// Reads the endpoint and the cookie. Throws Failure(network) if no node has left them.
    explicit RpcClient(const std::filesystem::path& data_directory);
    ~RpcClient();

    /// Calls a method; `patience` is how long the method itself may take. Throws RpcFailure for an
    /// error answer and Failure(network) if the node cannot be reached or does not let us in.
    [[nodiscard]] boost::json::value call(const std::string& method,
                                          boost::json::object params = {},
                                          std::chrono::milliseconds patience = {});

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gradient::node
