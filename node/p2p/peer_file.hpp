#pragma once

// Files in which this node keeps what it knows of others, as JSON. None is worth a refusal to
// start: whoever can't read one says so and begins anew.

#include "chain/base/result.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gradient::node {

/// Reads such a file: gives its object to `take`, which throws any std::exception on a value that
/// it can't use. False without an error if there is no file; the error is a sentence that names the
/// file and what is wrong.
[[nodiscard]] chain::Result<bool, std::string> read_peer_file(
    const std::filesystem::path& file, std::size_t limit_bytes,
    const std::function<void(const boost::json::object&)>& take);

/// Replaces the file in one step, mode 0600. Throws Failure(storage).
void write_peer_file(const std::filesystem::path& file, const boost::json::object& content);

/// The member as a number or text; throws std::exception if it is not there or of another kind.
[[nodiscard]] std::uint64_t number_at(const boost::json::object& object, std::string_view name);
[[nodiscard]] std::string text_at(const boost::json::object& object, std::string_view name);

}  // namespace gradient::node
