#include "node/node.hpp"
#include "node/setup/logging.hpp"
#include "node/setup/settings.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <variant>

namespace {

using gradient::node::ExitCode;

int run(int argc, char** argv) {
    const auto parsed = gradient::node::parse_settings(argc, argv);
    if (const auto* const exit = std::get_if<gradient::node::EarlyExit>(&parsed)) {
        fmt::print(exit->code == ExitCode::ok ? stdout : stderr, "{}", exit->text);
        return static_cast<int>(exit->code);
    }
    const auto& settings = std::get<gradient::node::Settings>(parsed);
    gradient::node::start_logging(settings.log_level, settings.log_format);
    gradient::node::run_node(settings);
    return static_cast<int>(ExitCode::ok);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const gradient::node::Failure& failure) {
        fmt::print(stderr, "gradientd: {}\n", failure.what());
        return static_cast<int>(failure.code());
    } catch (const std::exception& error) {
        fmt::print(stderr, "gradientd: internal failure: {}.\n", error.what());
        return static_cast<int>(ExitCode::failure);
    }
}
