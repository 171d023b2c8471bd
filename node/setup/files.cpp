#include "node/setup/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gradient::node {

FileDescriptor::~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
}

std::string system_error_text() {
    return std::strerror(errno);
}  // NOLINT(concurrency-mt-unsafe)

std::string read_file(const std::filesystem::path& path, std::size_t limit_bytes, ExitCode code) {
    const auto refuse = [&](const std::string& why) {
        return Failure(code, fmt::format("Cannot read {}: {}.", path.string(), why));
    };
    // O_NONBLOCK: opening a pipe must not hang.
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) throw refuse(system_error_text());
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw refuse(system_error_text());
    if (!S_ISREG(status.st_mode)) throw refuse("it is not a regular file");
    std::string content;
    constexpr std::size_t kChunkBytes = 1 << 16;
    while (content.size() <= limit_bytes) {
        const std::size_t size = content.size();
        content.resize(size + kChunkBytes);
        const ::ssize_t got = ::read(file.get(), content.data() + size, kChunkBytes);
        if (got < 0 && errno == EINTR) {
            content.resize(size);
            continue;
        }
        if (got < 0) throw refuse(system_error_text());
        content.resize(size + static_cast<std::size_t>(got));
        if (got == 0) return content;
    }
    throw refuse(fmt::format("it is larger than {} bytes", limit_bytes));
}

bool path_exists(const std::filesystem::path& path, ExitCode code) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw Failure(code, fmt::format("Cannot look at {}: {}.", path.string(), system_error_text()));
}

namespace {

Failure cannot_write(const std::filesystem::path& path) {
    return {ExitCode::storage,
            fmt::format("Cannot write {}: {}.", path.string(), system_error_text())};
}

// A file beside `path` with its content to be, synced; gone with its owner unless renamed.
class Draft {
  public:
    Draft(const std::filesystem::path& path, std::string_view content, ::mode_t mode)
        : name_(path.string() + ".new") {
        remove();  // left by a crash, perhaps with another mode
        const FileDescriptor file(
            ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
        if (!file.is_open()) throw cannot_write(path);
        try {
            fill(file.get(), path, content, mode);
        } catch (...) {
            remove();
            throw;
        }
    }
    ~Draft() { remove(); }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    [[nodiscard]] const char* name() const noexcept { return name_.c_str(); }

  private:
    static void fill(int file, const std::filesystem::path& path, std::string_view content,
                     ::mode_t mode) {
        for (std::size_t done = 0; done < content.size();) {
            const ::ssize_t put = ::write(file, content.data() + done, content.size() - done);
            if (put < 0 && errno == EINTR) continue;
            if (put < 0) throw cannot_write(path);
            done += static_cast<std::size_t>(put);
        }
        if (::fchmod(file, mode) != 0 || ::fsync(file) != 0) throw cannot_write(path);
    }
    void remove() const noexcept { static_cast<void>(::unlink(name_.c_str())); }

    std::string name_;
};

void sync_folder_of(const std::filesystem::path& path) {
    const FileDescriptor folder(
        ::open(path.parent_path().empty() ? "." : path.parent_path().c_str(),
               O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.is_open()) static_cast<void>(::fsync(folder.get()));
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           ::mode_t mode) {
    const Draft draft(path, content, mode);
    if (::rename(draft.name(), path.c_str()) != 0) throw cannot_write(path);
    sync_folder_of(path);
}

void create_file_atomically(const std::filesystem::path& path, std::string_view content,
                            ::mode_t mode) {
    const Draft draft(path, content, mode);
    // Unlike rename, link refuses a name that is taken.
    if (::link(draft.name(), path.c_str()) != 0) throw cannot_write(path);
    sync_folder_of(path);
}

}  // namespace gradient::node
