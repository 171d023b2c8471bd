#include "node/setup/data_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace gradient::node {

namespace {

Failure unusable(const std::filesystem::path& path, const std::string& why) {
    return {ExitCode::data_directory,
            fmt::format("Cannot use the data directory {}: {}.", path.string(), why)};
}

// Whatever the owner wrote into its lock file, reduced to digits.
std::string owner_of(int lock) {
    std::array<char, 16> text{};
    const ::ssize_t got = ::pread(lock, text.data(), text.size(), 0);
    std::string digits;
    for (::ssize_t i = 0; i < got && text.at(static_cast<std::size_t>(i)) != '\n'; ++i) {
        const char c = text.at(static_cast<std::size_t>(i));
        if (c >= '0' && c <= '9') digits += c;
    }
    return digits.empty() ? "another process" : "process " + digits;
}

FileDescriptor take_lock(const std::filesystem::path& path) {
    FileDescriptor lock(::open((path / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock.is_open()) throw unusable(path, system_error_text());
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) throw unusable(path, system_error_text());
        throw Failure(ExitCode::data_directory,
                      fmt::format("The data directory {0} is in use by {1}: stop it with `gradient "
                                  "--data {0} stop`, or "
                                  "choose another directory with --data.",
                                  path.string(), owner_of(lock.get())));
    }
    const std::string id = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.get(), 0) != 0 ||
        ::pwrite(lock.get(), id.data(), id.size(), 0) != static_cast<::ssize_t>(id.size())) {
        throw Failure(ExitCode::storage, fmt::format("Cannot write to the data directory {}: {}.",
                                                     path.string(), system_error_text()));
    }
    return lock;
}

void check_format(const std::filesystem::path& path) {
    const auto file = path / "format";
    if (!path_exists(file)) {
        if (path_exists(path / "chain")) throw unusable(path, "its file \"format\" is missing");
        write_file_atomically(file, std::string(DataDirectory::kFormat) + "\n", 0600);
        return;
    }
    constexpr std::size_t kMaxFormatBytes = 64;
    std::string format = read_file(file, kMaxFormatBytes, ExitCode::data_directory);
    while (!format.empty() && format.back() == '\n') format.pop_back();
    if (format != DataDirectory::kFormat) {
        std::replace_if(
            format.begin(), format.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
        throw unusable(
            path,
            fmt::format("it has format version \"{}\" and this program knows only \"{}\"; use the "
                        "program that wrote it, or another directory with --data",
                        format, DataDirectory::kFormat));
    }
}

void check_directory(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        const bool absent = status.type() == std::filesystem::file_type::not_found;
        throw unusable(path, absent ? "it does not exist" : error.message());
    }
    if (!std::filesystem::is_directory(status)) throw unusable(path, "it is not a directory");
}

}  // namespace

DataDirectory DataDirectory::open(const std::filesystem::path& path) {
    if (!path_exists(path)) {
        // The parent of "DIR/" would be DIR, and DIR would get the mode of a parent.
        const auto name = path.has_filename() ? path : path.parent_path();
        std::error_code ignored;  // what matters of it, mkdir says
        if (name.has_parent_path()) {
            std::filesystem::create_directories(name.parent_path(), ignored);
        }
        if (::mkdir(name.c_str(), 0700) != 0 && errno != EEXIST)
            throw unusable(path, system_error_text());
    }
    return take(path);
}

DataDirectory DataDirectory::open_existing(const std::filesystem::path& path) {
    check_directory(path);
    if (!path_exists(path / "format")) {
        throw unusable(path, path_exists(path / "chain") ? "its file \"format\" is missing"
                                                         : "it is no data directory of a node");
    }
    return take(path);
}

DataDirectory DataDirectory::take(const std::filesystem::path& path) {
    check_directory(path);
    DataDirectory directory(std::filesystem::absolute(path), take_lock(path));
    check_format(path);
    return directory;
}

std::optional<std::string> DataDirectory::stored_chain_spec() const {
    if (!path_exists(chain_spec())) return std::nullopt;
    return read_file(chain_spec(), kMaxChainSpecBytes, ExitCode::data_directory);
}

std::filesystem::path cookie_file(const std::filesystem::path& data_directory) {
    return data_directory / ".cookie";
}

std::filesystem::path endpoint_file(const std::filesystem::path& data_directory) {
    return data_directory / "rpc_endpoint";
}

std::filesystem::path rpc_certificate_file(const std::filesystem::path& data_directory) {
    return data_directory / "rpc_certificate.pem";
}

std::filesystem::path peer_endpoint_file(const std::filesystem::path& data_directory) {
    return data_directory / "peer_endpoint";
}

std::filesystem::path default_data_directory() {
    const char* home =
        std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): before any thread starts
    return std::filesystem::path(home != nullptr && *home != '\0' ? home : ".") / ".gradient";
}

}  // namespace gradient::node
