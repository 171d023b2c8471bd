#include "node/rpc/client.hpp"
#include "node/setup/failure.hpp"
#include "node/setup/files.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/proof_file.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>
#include <optional>

namespace gradient::cli {

namespace {

namespace json = boost::json;

// The parameters of the largest model in hexadecimal, and some.
constexpr std::size_t kMaxProofBytes = std::size_t{4} << 20U;
constexpr std::size_t kMaxHeaderFileBytes = 4096;

/// Throws unless the proof holds against the header; tells what it shows.
ProvedFact require_fact(const ProofFile& file, const chain::Header& header) {
    const auto refuse = [](std::string_view why) {
        return node::Failure(node::ExitCode::invalid_chain,
                             fmt::format("The proof does not hold: {}", why));
    };
    if (const auto good = check_proof(file, header); !good)
        throw refuse(chain::to_string(good.error()));
    auto fact = describe_proof(file, header);
    if (!fact) throw refuse("the entry's bytes are not of its kind.");
    return *std::move(fact);
}

// Asks the node for a proof, checks it and writes it.
void fetch(const std::string& method, json::object params, const std::filesystem::path& out,
           const CommonOptions& common) {
    const auto answer = node::RpcClient(common.data_directory).call(method, std::move(params));
    const std::string text = json::serialize(answer) + "\n";
    const auto file = parse_proof(text);
    if (!file) {
        throw node::Failure(node::ExitCode::network,
                            fmt::format("The node's proof is damaged: {}.", file.error()));
    }
    auto fact = require_fact(*file, file->header);
    node::write_file_atomically(out, text, 0644);
    const std::string header = chain::to_hex(chain::encode(file->header));
    fact.result["file"] = out.string();
    fact.result["header"] = header;
    print_result(common, fact.result, fmt::format("{}header  {}\n", fact.text, header));
}

struct CheckOptions {
    std::filesystem::path file;
    std::optional<std::string> header;
    std::optional<std::filesystem::path> header_file;
    std::optional<std::string> block_id;
};

// The header as 520 hexadecimal digits, or in a file as those or as its 260 bytes.
chain::Header read_header(const CheckOptions& options) {
    if (options.header) {
        const auto header = parse_header(*options.header);
        if (header) return *header;
        throw node::Failure(node::ExitCode::usage,
                            "--header is no block header in 520 hexadecimal digits.");
    }
    if (!options.header_file) {
        throw node::Failure(node::ExitCode::usage,
                            "Name the header to check against with --header or --header-file: a "
                            "proof's own header shows nothing.");
    }
    std::string text =
        node::read_file(*options.header_file, kMaxHeaderFileBytes, node::ExitCode::chain_spec);
    if (text.size() == chain::Header::kEncodedSize) {
        const auto header = chain::decode_exact<chain::Header>(chain::as_bytes(text));
        if (header) return *header;
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    const auto header = parse_header(text);
    if (header) return *header;
    throw node::Failure(
        node::ExitCode::chain_spec,
        fmt::format("Cannot use {}: it is no block header, neither 260 bytes nor 520 hexadecimal "
                    "digits.",
                    options.header_file->string()));
}

void run_check(const CheckOptions& options, const CommonOptions& common) {
    const auto header = read_header(options);
    const auto file =
        parse_proof(node::read_file(options.file, kMaxProofBytes, node::ExitCode::chain_spec));
    if (!file) {
        throw node::Failure(node::ExitCode::chain_spec,
                            fmt::format("Cannot use {}: {}.", options.file.string(), file.error()));
    }
    if (options.block_id) {
        const auto id = chain::Hash256::from_hex(*options.block_id);
        if (!id) {
            throw node::Failure(node::ExitCode::usage,
                                "--block-id must have 64 hexadecimal digits.");
        }
        if (chain::header_id(header) != *id) {
            throw node::Failure(
                node::ExitCode::invalid_chain,
                fmt::format("The header is that of block {}.", chain::header_id(header).to_hex()));
        }
    }
    const auto fact = require_fact(*file, header);
    print_result(common, fact.result, fact.text);
}

void add_check(CLI::App& proof, const CommonOptions& common) {
    auto options = std::make_shared<CheckOptions>();
    CLI::App* const check = proof.add_subcommand(
        "check", "Check a proof against a block header alone; needs neither node nor data");
    check->add_option("file", options->file, "File that holds the proof")->required();
    CLI::Option* const header =
        check->add_option("--header", options->header, "The block header, in hexadecimal")
            ->type_name("HEX");
    check->add_option("--header-file", options->header_file, "File with the header")
        ->excludes(header)
        ->type_name("FILE");
    check->add_option("--block-id", options->block_id, "Id that the header must have")
        ->type_name("ID");
    check->callback([options, &common] { run_check(*options, common); });
}

struct FetchOptions {
    std::string address;
    std::uint32_t task = 0;
    std::filesystem::path out;
};

void add_out(CLI::App& command, FetchOptions& options) {
    command.add_option("--out", options.out, "File to write")->required()->type_name("FILE");
}

}  // namespace

void add_proof_commands(CLI::App& app, const CommonOptions& common) {
    CLI::App* const proof =
        app.add_subcommand("proof", "Show to others what the chain's state holds");
    proof->require_subcommand(1);

    auto account_options = std::make_shared<FetchOptions>();
    CLI::App* const account = proof->add_subcommand("account", "Prove balance and nonce");
    account->add_option("address", account_options->address, "Address of the account")->required();
    add_out(*account, *account_options);
    account->callback([account_options, &common] {
        fetch("proof_account", {{"address", account_options->address}}, account_options->out,
              common);
    });

    for (const auto& [name, help] : {std::pair("task", "Prove a task's record"),
                                     std::pair("model", "Prove a task's parameters")}) {
        auto options = std::make_shared<FetchOptions>();
        CLI::App* const command = proof->add_subcommand(name, help);
        command->add_option("task", options->task, "Number of the task")->required();
        add_out(*command, *options);
        command->callback([options, method = std::string("proof_") + name, &common] {
            fetch(method, {{"task", options->task}}, options->out, common);
        });
    }
    add_check(*proof, common);
}

}  // namespace gradient::cli
