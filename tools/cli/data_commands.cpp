#include "tools/cli/data_commands.hpp"

#include "node/setup/failure.hpp"
#include "tools/cli/publishing.hpp"
#include "tools/cli/sender.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>

namespace gradient::cli {

namespace {

namespace json = boost::json;

constexpr std::array<const char*, 4> kMatrixNames{"a1", "a2", "a3", "b"};

struct PublishOptions {
    SenderOptions sender;
    std::vector<std::filesystem::path> files;
    std::string format = "text";
    MatrixOptions matrices;
};

DataPlan read_data(PublishOptions options) {
    if (options.format == "text") return plan_text(options.files);
    if (options.files.size() != options.matrices.files.size()) {
        throw node::Failure(
            node::ExitCode::usage,
            fmt::format("Matrices come in four files, A1, A2, A3 and B in this order; {} were "
                        "named.",
                        options.files.size()));
    }
    for (std::size_t i = 0; i < options.files.size(); ++i)
        options.matrices.files.at(i) = options.files[i];
    return read_matrix_options(options.matrices);
}

void run_publish(const PublishOptions& options, const CommonOptions& common) {
    const DataPlan data = read_data(options);
    Sender sender(common, options.sender);
    const Published published = publish_data(common, sender, data);
    json::array ids;
    std::string text;
    for (const auto& chunk : data.chunks) {
        ids.emplace_back(chunk.to_hex());
        text += fmt::format("chunk {}\n", chunk.to_hex());
    }
    text += fmt::format("root  {}\n", data.root.to_hex());
    print_result(common,
                 {{"root", data.root.to_hex()},
                  {"bytes", data.bytes.size()},
                  {"chunks", std::move(ids)},
                  {"published", published.sent},
                  {"known", published.known},
                  {"fees", published.fees.to_string()}},
                 text);
}

}  // namespace

void add_matrix_files(CLI::App& command, MatrixOptions& options) {
    for (std::size_t i = 0; i < kMatrixNames.size(); ++i) {
        command
            .add_option(fmt::format("--{}", kMatrixNames.at(i)), options.files.at(i),
                        fmt::format("Matrix {}: .npy or .csv", kMatrixNames.at(i)))
            ->type_name("FILE")
            ->group("Matrices");
    }
}

void add_matrix_scales(CLI::App& command, MatrixOptions& options) {
    for (std::size_t i = 0; i < kMatrixNames.size(); ++i) {
        command
            .add_option(fmt::format("--scale-{}", kMatrixNames.at(i)), options.scales.at(i),
                        fmt::format("What {}'s entries are multiplied with; the products lie "
                                    "within +-1.999",
                                    kMatrixNames.at(i)))
            ->group("Matrices")
            ->capture_default_str();
    }
}

DataPlan read_matrix_options(const MatrixOptions& options) {
    const auto file = [&](std::size_t i) {
        if (!options.files.at(i)) {
            throw node::Failure(
                node::ExitCode::usage,
                fmt::format("A task of matrices needs --{} too.", kMatrixNames.at(i)));
        }
        return data::MatrixFile{*options.files.at(i), options.scales.at(i)};
    };
    return plan_matrices({.a1 = file(0), .a2 = file(1), .a3 = file(2), .b = file(3)});
}

void add_data_commands(CLI::App& app, const CommonOptions& common) {
    CLI::App* const data = app.add_subcommand("data", "Put data on the chain");
    data->require_subcommand(1);
    auto options = std::make_shared<PublishOptions>();
    CLI::App* const publish = data->add_subcommand(
        "publish", "Publish what a task may train on; what is on the chain already costs nothing");
    publish->add_option("files", options->files, "Text files, or the matrices A1 A2 A3 B")
        ->required()
        ->type_name("FILE ...");
    publish->add_option("--format", options->format, "text, or matrices")
        ->check(CLI::IsMember({"text", "matrices"}))
        ->capture_default_str();
    add_sender_options(*publish, options->sender);
    add_matrix_scales(*publish, options->matrices);
    publish->callback([options, &common] { run_publish(*options, common); });
}

}  // namespace gradient::cli
