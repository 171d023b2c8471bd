#include "node/rpc/access.hpp"
#include "node/rpc/client.hpp"
#include "node/setup/failure.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace gradient::cli {

namespace {

namespace json = boost::json;

/// Longest that a method may wait: those that do, do so by a parameter of at most a minute.
constexpr std::chrono::seconds kPatience{60};

std::string methods_text(const json::array& methods) {
    Table table({"method", "permission", "parameters", "summary"});
    for (const auto& method : methods) {
        std::string parameters;
        for (const auto& parameter : method.at("parameters").as_array()) {
            const std::string name(parameter.at("name").as_string());
            if (!parameters.empty()) parameters += ' ';
            parameters += parameter.at("required").as_bool() ? name : "[" + name + "]";
        }
        table.add({std::string(method.at("name").as_string()),
                   std::string(method.at("permission").as_string()), parameters,
                   std::string(method.at("summary").as_string())});
    }
    return table.text();
}

// The schema of a method's parameter; null if there is none: the node says so.
const json::value* schema_of(const json::value& document, std::string_view method,
                             std::string_view parameter) {
    for (const auto& each : document.at("methods").as_array()) {
        if (each.at("name").as_string() != method) continue;
        for (const auto& one : each.at("params").as_array()) {
            if (one.at("name").as_string() == parameter) return &one.at("schema");
        }
    }
    return nullptr;
}

// NAME=VALUE as the method's schema has it: texts as they stand, the rest as JSON.
json::object parameters_of(const json::value& document, const std::string& method,
                           const std::vector<std::string>& given) {
    json::object parameters;
    for (const auto& each : given) {
        const auto equals = each.find('=');
        if (equals == std::string::npos) {
            throw node::Failure(node::ExitCode::usage,
                                fmt::format("\"{}\" is not NAME=VALUE.", each));
        }
        const std::string name = each.substr(0, equals);
        const std::string text = each.substr(equals + 1);
        const auto* const schema = schema_of(document, method, name);
        boost::system::error_code error;
        json::value value(text);
        if (schema == nullptr || schema->at("type") != "string") {
            value = json::parse(text, error);
            if (error) value = json::value(text);
        }
        parameters[name] = std::move(value);
    }
    return parameters;
}

void add_user_command(CLI::App& app, const CommonOptions& common) {
    struct Options {
        std::string name;
        std::string permission = "read";
    };
    auto options = std::make_shared<Options>();
    CLI::App* const user =
        app.add_subcommand("rpc-user", "Draw a password for a user of a node's RPC");
    user->add_option("name", options->name, "The user's name")->required();
    user->add_option("--permission", options->permission,
                     "read: look at everything; submit: hand in transactions too; control: all")
        ->check(CLI::IsMember({"read", "submit", "control"}))
        ->capture_default_str();
    user->callback([options, &common] {
        const auto permission = node::parse_permission(options->permission).value();
        const auto made = node::make_rpc_user(options->name, permission);
        print_result(common,
                     {{"name", options->name},
                      {"permission", options->permission},
                      {"line", made.line},
                      {"password", made.password}},
                     fmt::format("The line for gradient.conf; the node reads it when it starts:\n\n"
                                 "rpc-user={}\n\n"
                                 "What {} logs in with, kept nowhere:\n\n"
                                 "user      {}\n"
                                 "password  {}\n",
                                 made.line, options->name, options->name, made.password));
    });
}

}  // namespace

void add_rpc_commands(CLI::App& app, const CommonOptions& common) {
    add_user_command(app, common);
    CLI::App* const rpc = app.add_subcommand("rpc", "Call any method of the node");
    rpc->require_subcommand(1);
    rpc->add_subcommand("list", "List the methods")->callback([&common] {
        const auto methods = node::RpcClient(common.data_directory).call("help");
        print_result(common, {{"methods", methods}}, methods_text(methods.as_array()));
    });
    struct Options {
        std::string method;
        std::vector<std::string> parameters;
    };
    auto options = std::make_shared<Options>();
    CLI::App* const call = rpc->add_subcommand("call", "Call one and print its result as JSON");
    call->add_option("method", options->method, "Name of the method")->required();
    call->add_option("parameters", options->parameters, "Parameters of the method")
        ->type_name("NAME=VALUE");
    call->callback([options, &common] {
        node::RpcClient client(common.data_directory);
        const auto document = client.call("rpc.discover");
        const auto result =
            client.call(options->method,
                        parameters_of(document, options->method, options->parameters), kPatience);
        print_result(common, {{"result", result}}, json::serialize(result) + "\n");
    });
}

}  // namespace gradient::cli
