#include "tools/wallet/passphrase.hpp"

#include "node/setup/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace gradient::wallet {

namespace {

node::Failure refuse(const std::string& sentence) {
    return {node::ExitCode::usage, sentence};
}

/// One line of text, wiped when it goes.
struct Line {
    std::array<char, Passphrase::kMaxBytes + 1> bytes{};
    std::size_t size = 0;

    Line() = default;
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

/// Reads into one buffer and no other, so that no copy of the passphrase stays behind.
Passphrase from_file(const std::filesystem::path& file) {
    const auto unreadable = [&] {
        return refuse(fmt::format("Cannot read the passphrase file {}: {}.", file.string(),
                                  node::system_error_text()));
    };
    const node::FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!descriptor.is_open() || ::fstat(descriptor.get(), &status) != 0) throw unreadable();
    constexpr ::mode_t kOthers = 077;
    if (S_ISREG(status.st_mode) && (status.st_mode & kOthers) != 0) {
        throw refuse(fmt::format(
            "Others may read the passphrase file {0}: run `chmod 600 {0}` and make sure that "
            "nobody has copied it.",
            file.string()));
    }
    Line line;
    while (line.size < line.bytes.size()) {
        const ::ssize_t got =
            ::read(descriptor.get(), line.bytes.data() + line.size, line.bytes.size() - line.size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw unreadable();
        if (got == 0) break;
        line.size += static_cast<std::size_t>(got);
    }
    std::string_view text(line.bytes.data(), line.size);
    text = text.substr(0, text.find('\n'));
    if (text.ends_with('\r')) text.remove_suffix(1);
    return Passphrase(text);
}

Passphrase from_terminal(PassphraseUse use) {
    if (!node::FileDescriptor(::open("/dev/tty", O_RDWR | O_CLOEXEC)).is_open()) {
        throw refuse(fmt::format(
            "There is no terminal to ask for the passphrase: give --passphrase-file or set {}.",
            kPassphraseVariable));
    }
    Line line;
    // OpenSSL's prompt turns the echo off, and on again after a signal too. With `verify` it asks
    // twice and fails if the answers differ.
    const bool is_new = use == PassphraseUse::create;
    const int minimum = is_new ? static_cast<int>(Passphrase::kMinNewBytes) : 0;
    const int status = EVP_read_pw_string_min(
        line.bytes.data(), minimum, static_cast<int>(Passphrase::kMaxBytes),
        is_new ? "New passphrase (at least 8 characters): " : "Passphrase: ", is_new ? 1 : 0);
    if (status == -2) throw refuse("No passphrase was entered.");
    if (status != 0) {
        throw refuse(is_new ? "The passphrase is too short, or the two entries differ."
                            : "The passphrase could not be read.");
    }
    return Passphrase(std::string_view(line.bytes.data(), std::strlen(line.bytes.data())));
}

Passphrase from_anywhere(const std::optional<std::filesystem::path>& file, PassphraseUse use) {
    if (file) return from_file(*file);
    const char* variable = std::getenv(kPassphraseVariable);  // NOLINT(concurrency-mt-unsafe)
    if (variable != nullptr) return Passphrase(variable);
    return from_terminal(use);
}

}  // namespace

Passphrase::Buffer::~Buffer() {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

Passphrase::Passphrase(std::string_view text) : size_(text.size()) {
    if (text.empty()) throw refuse("The passphrase is empty.");
    if (text.size() > kMaxBytes) {
        throw refuse(fmt::format("The passphrase is longer than {} bytes.", kMaxBytes));
    }
    std::ranges::copy(text, buffer_->bytes.begin());
}

Passphrase read_passphrase(const std::optional<std::filesystem::path>& file, PassphraseUse use) {
    auto passphrase = from_anywhere(file, use);
    if (use == PassphraseUse::create && passphrase.text().size() < Passphrase::kMinNewBytes) {
        throw refuse(fmt::format("A new passphrase needs at least {} characters.",
                                 Passphrase::kMinNewBytes));
    }
    return passphrase;
}

}  // namespace gradient::wallet
