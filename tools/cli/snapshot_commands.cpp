#include "chain/consensus/genesis_spec.hpp"
#include "chain/network.hpp"
#include "chain/snapshot.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "chain/storage/stored_state.hpp"
#include "node/setup/data_directory.hpp"
#include "node/setup/files.hpp"
#include "node/setup/store_failure.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace gradient::cli {

namespace {

struct SnapshotOptions {
    std::filesystem::path file;
    std::filesystem::path chain_spec;
    std::optional<std::uint64_t> height;
    std::string hash;
};

// Whose fault a rule's failure is: the command line's, the directory's, the disk's, or the file's.
node::ExitCode exit_code(chain::SnapshotError error) {
    using chain::SnapshotError;
    switch (error) {
        case SnapshotError::unknown_height:
        case SnapshotError::wrong_pin:
        case SnapshotError::pin_of_block:
            return node::ExitCode::usage;
        case SnapshotError::not_empty:
        case SnapshotError::no_chain:
            return node::ExitCode::data_directory;
        case SnapshotError::cannot_write:
            return node::ExitCode::storage;
        case SnapshotError::truncated:
        case SnapshotError::trailing_bytes:
        case SnapshotError::bad_magic:
        case SnapshotError::unknown_version:
        case SnapshotError::head_too_large:
        case SnapshotError::bad_head:
        case SnapshotError::chunk_too_large:
        case SnapshotError::wrong_hash:
        case SnapshotError::bad_entry:
        case SnapshotError::entry_order:
        case SnapshotError::wrong_count:
        case SnapshotError::wrong_end_root:
        case SnapshotError::wrong_network:
        case SnapshotError::bad_headers:
        case SnapshotError::wrong_child:
        case SnapshotError::wrong_root:
        case SnapshotError::wrong_block:
        case SnapshotError::wrong_task:
        case SnapshotError::cannot_read:
            break;
    }
    return node::ExitCode::chain_spec;
}

node::Failure failure_of(const std::filesystem::path& file, const chain::SnapshotFailure& failure) {
    if (const auto* store = std::get_if<chain::StoreError>(&failure)) {
        return node::store_failure(*store);
    }
    return {exit_code(std::get<chain::SnapshotError>(failure)),
            fmt::format("{}: {}", file.string(), chain::describe(failure))};
}

void report(const CommonOptions& common, const std::string& result,
            const chain::SnapshotSummary& summary) {
    Listing lines;
    lines.add("result", result);
    lines.add("height", grouped(summary.height));
    lines.add("block", summary.block.to_hex());
    lines.add("time", utc_time(summary.time_ms));
    lines.add("state root", summary.state_root.to_hex());
    lines.add("next block", summary.child ? summary.child->to_hex() : "none: it was the tip");
    lines.add("genesis", summary.genesis.to_hex());
    lines.add("headers", grouped(summary.headers));
    lines.add("entries", grouped(summary.entries));
    lines.add("bytes", grouped(summary.size_bytes));
    lines.add("file hash", summary.file_hash.to_hex());
    boost::json::value child;
    if (summary.child) child = summary.child->to_hex();
    print_result(common,
                 {{"height", summary.height},
                  {"block", summary.block.to_hex()},
                  {"time_ms", summary.time_ms},
                  {"state_root", summary.state_root.to_hex()},
                  {"child", child},
                  {"genesis", summary.genesis.to_hex()},
                  {"headers", summary.headers},
                  {"entries", summary.entries},
                  {"bytes", summary.size_bytes},
                  {"file_hash", summary.file_hash.to_hex()}},
                 lines.text());
}

// A file under another name until it is complete.
class DraftFile {
  public:
    explicit DraftFile(std::filesystem::path path)
        : path_(std::move(path)), draft_(path_.string() + ".part") {
        if (node::path_exists(path_, node::ExitCode::usage)) {
            throw node::Failure(
                node::ExitCode::usage,
                fmt::format("The file {} exists: name another with --out.", path_.string()));
        }
        stream_.open(draft_, std::ios::binary | std::ios::trunc);
        if (!stream_) throw cannot_write();
    }
    ~DraftFile() {
        std::error_code ignored;
        std::filesystem::remove(draft_, ignored);
    }
    DraftFile(const DraftFile&) = delete;
    DraftFile& operator=(const DraftFile&) = delete;

    [[nodiscard]] std::ostream& stream() noexcept { return stream_; }

    void finish() {
        stream_.close();
        if (!stream_) throw cannot_write();
        const node::FileDescriptor file(::open(draft_.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.is_open() || ::fsync(file.get()) != 0) throw cannot_write();
        std::error_code error;
        std::filesystem::rename(draft_, path_, error);
        if (error) throw cannot_write();
    }

  private:
    [[nodiscard]] node::Failure cannot_write() const {
        return {node::ExitCode::storage, fmt::format("Cannot write the snapshot {}: {}.",
                                                     path_.string(), node::system_error_text())};
    }

    std::filesystem::path path_;
    std::filesystem::path draft_;
    std::ofstream stream_;
};

std::ifstream open_snapshot(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream || !std::filesystem::is_regular_file(file)) {
        throw node::Failure(node::ExitCode::chain_spec,
                            fmt::format("Cannot read the snapshot {}: {}.", file.string(),
                                        stream ? "it is no file" : node::system_error_text()));
    }
    return stream;
}

void run_export(const SnapshotOptions& options, const CommonOptions& common) {
    const auto directory = node::DataDirectory::open_existing(common.data_directory);
    const auto store =
        chain::LevelDbStore::open(directory.database().string(), chain::OpenMode::must_exist);
    if (!store) throw node::store_failure(store.error());
    DraftFile out(options.file);

    const chain::BlockReader reader(**store);
    const auto tip = reader.tip();
    if (!tip) throw node::store_failure(tip.error());
    std::uint64_t height = 0;
    if (*tip) {
        const auto index = reader.require_index(**tip);
        if (!index) throw node::store_failure(index.error());
        height = options.height.value_or(index->height());
    }
    std::uint64_t entries = 0;
    const auto counted =
        chain::StoredState((*store)->snapshot()).scan([&](const chain::StateKey&, chain::ByteSpan) {
            ++entries;
            return true;
        });
    if (!counted) throw node::store_failure(counted.error());
    ProgressBar bar("exporting");
    const auto made = chain::export_snapshot(**store, height, out.stream(), [&](std::uint64_t n) {
        bar.show(std::min(n, entries), entries);
    });
    bar.clear();
    if (!made) throw failure_of(options.file, made.error());
    out.finish();
    report(common, fmt::format("written to {}", options.file.string()), *made);
}

// The directory's chain spec, or the one given for a new directory.
std::shared_ptr<const chain::Network> choose_network(const SnapshotOptions& options,
                                                     const node::DataDirectory& directory) {
    auto spec = chain::load_chain_spec(options.chain_spec.string());
    if (!spec) throw node::Failure(node::ExitCode::chain_spec, spec.error().message);
    if (node::path_exists(directory.chain_spec())) {
        const auto stored = chain::load_chain_spec(directory.chain_spec().string());
        if (!stored) throw node::Failure(node::ExitCode::data_directory, stored.error().message);
        if (chain::spec_digest(*stored) != chain::spec_digest(*spec)) {
            throw node::Failure(
                node::ExitCode::data_directory,
                fmt::format("The data directory {} belongs to another network than {}.",
                            directory.path().string(), options.chain_spec.string()));
        }
    } else {
        node::write_file_atomically(directory.chain_spec(), chain::to_json(*spec), 0644);
    }
    auto network = chain::make_network(*std::move(spec));
    if (!network) throw node::Failure(node::ExitCode::chain_spec, network.error().message);
    return *std::move(network);
}

void run_import(const SnapshotOptions& options, const CommonOptions& common) {
    const auto pin = chain::Hash256::from_hex(options.hash);
    if (!pin) {
        throw node::Failure(node::ExitCode::usage,
                            "--hash takes 64 hexadecimal digits: a state root or a block id.");
    }
    auto in = open_snapshot(options.file);
    const std::uint64_t size = std::filesystem::file_size(options.file);
    const auto directory = node::DataDirectory::open(common.data_directory);
    const auto network = choose_network(options, directory);
    const auto store = chain::LevelDbStore::open(directory.database().string(),
                                                 chain::OpenMode::create_if_missing);
    if (!store) throw node::store_failure(store.error());
    ProgressBar bar("importing");
    const auto taken = chain::import_snapshot(*network, **store, in, *pin,
                                              [&](std::uint64_t done) { bar.show(done, size); });
    bar.clear();
    if (!taken) throw failure_of(options.file, taken.error());
    report(common, fmt::format("imported into {}", common.data_directory.string()), *taken);
}

void run_show(const SnapshotOptions& options, const CommonOptions& common) {
    auto in = open_snapshot(options.file);
    const std::uint64_t size = std::filesystem::file_size(options.file);
    ProgressBar bar("reading");
    const auto seen =
        chain::inspect_snapshot(in, [&](std::uint64_t done) { bar.show(done, size); });
    bar.clear();
    if (!seen) throw failure_of(options.file, seen.error());
    report(common, "complete and undamaged; whether it is true, an import finds out", *seen);
}

}  // namespace

void add_snapshot_commands(CLI::App& app, const CommonOptions& common) {
    auto options = std::make_shared<SnapshotOptions>();
    CLI::App* const snapshot = app.add_subcommand(
        "snapshot", "The state after one block as a file, for new nodes to start from");
    snapshot->require_subcommand(1);

    CLI::App* const make =
        snapshot->add_subcommand("export", "Write a snapshot of a data directory without a node");
    make->add_option("--out", options->file, "File to write")->required()->type_name("FILE");
    make->add_option("--height", options->height,
                     "Block to export the state after; default: the tip. One below the tip can be "
                     "pinned by the next block's id")
        ->type_name("HEIGHT");
    make->callback([options, &common] { run_export(*options, common); });

    CLI::App* const take =
        snapshot->add_subcommand("import", "Start an empty data directory from a snapshot");
    take->add_option("file", options->file, "Snapshot")->required()->type_name("FILE");
    take->add_option("--chain", options->chain_spec, "Chain spec of the network")
        ->required()
        ->type_name("FILE");
    take->add_option("--hash", options->hash,
                     "What you trust: the state root, or the id of the block after the snapshot's")
        ->required()
        ->type_name("HASH");
    take->callback([options, &common] { run_import(*options, common); });

    CLI::App* const show =
        snapshot->add_subcommand("show", "Check a snapshot's form and say what it is of");
    show->add_option("file", options->file, "Snapshot")->required()->type_name("FILE");
    show->callback([options, &common] { run_show(*options, common); });
}

}  // namespace gradient::cli
