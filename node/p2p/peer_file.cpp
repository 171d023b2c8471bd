#include "node/p2p/peer_file.hpp"

#include "node/setup/files.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <exception>

namespace gradient::node {

namespace json = boost::json;

namespace {

// Version of the form of such files; another one is not read.
constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kVersionName = "version";

}  // namespace

chain::Result<bool, std::string> read_peer_file(
    const std::filesystem::path& file, std::size_t limit_bytes,
    const std::function<void(const json::object&)>& take) {
    try {
        if (!path_exists(file)) return false;
        const std::string text = read_file(file, limit_bytes, ExitCode::data_directory);
        const json::value value = json::parse(text);
        const json::object& object = value.as_object();
        if (number_at(object, kVersionName) != kVersion) {
            throw std::invalid_argument("it is of another version");
        }
        take(object);
        return true;
    } catch (const Failure& failure) {
        return chain::fail(std::string(failure.what()));
    } catch (const std::exception& error) {
        return chain::fail(fmt::format("The file {} is damaged ({}); the node goes on without it.",
                                       file.string(), error.what()));
    }
}

void write_peer_file(const std::filesystem::path& file, const json::object& content) {
    json::object whole{{kVersionName, kVersion}};
    for (const auto& member : content) whole.insert(member);
    write_file_atomically(file, json::serialize(whole) + "\n", 0600);
}

std::uint64_t number_at(const json::object& object, std::string_view name) {
    return object.at(name).to_number<std::uint64_t>();
}

std::string text_at(const json::object& object, std::string_view name) {
    const json::string& text = object.at(name).as_string();
    return {text.data(), text.size()};
}

}  // namespace gradient::node
