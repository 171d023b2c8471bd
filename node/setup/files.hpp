#pragma once

#include "node/setup/failure.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace gradient::node {

/// An open file descriptor, closed with its owner.
class FileDescriptor {
  public:
    FileDescriptor() = default;
    explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~FileDescriptor();

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

/// The words for the current errno, e.g. "No space left on device".
[[nodiscard]] std::string system_error_text();

/// The whole of a regular file of at most `limit_bytes`; throws Failure(code) with a sentence that
/// names the file.
[[nodiscard]] std::string read_file(const std::filesystem::path& path, std::size_t limit_bytes,
                                    ExitCode code);

/// Whether anything has this name, a dangling link included; throws Failure(code) with a sentence
/// that names the path if that is not to be found out.
[[nodiscard]] bool path_exists(const std::filesystem::path& path,
                               ExitCode code = ExitCode::data_directory);

/// Replaces the file in one step, so that a reader or a crash sees the old or the new content, and
/// sets its mode. Throws Failure(storage).
void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           ::mode_t mode);

/// Makes the file in one step, with that mode; never replaces anything. Throws Failure(storage).
void create_file_atomically(const std::filesystem::path& path, std::string_view content,
                            ::mode_t mode);

}  // namespace gradient::node
