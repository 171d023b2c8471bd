#include "node/ledger/mempool_journal.hpp"

#include "chain/base/codec.hpp"
#include "chain/base/hash.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

namespace gradient::node {

namespace {

constexpr std::size_t kChecksumBytes = 8;
static_assert(MempoolJournal::kFrameBytes == 4 + kChecksumBytes);

struct Payload {
    std::uint64_t time_ms = 0;
    chain::SignedTransaction transaction;
    static auto fields(auto& self) { return std::tie(self.time_ms, self.transaction); }
};

Failure cannot_write(const std::filesystem::path& path) {
    return {ExitCode::storage,
            fmt::format("Cannot write {}: {}.", path.string(), system_error_text())};
}

std::string record_of(const JournaledTransaction& one) {
    const chain::Bytes payload = chain::encode(Payload{one.time_ms, *one.transaction});
    const chain::Hash256 digest = chain::sha256(payload);
    std::string record;
    record.reserve(MempoolJournal::kFrameBytes + payload.size());
    for (unsigned shift = 0; shift < 32; shift += 8)
        record.push_back(static_cast<char>(payload.size() >> shift & 0xffU));
    record.append(digest.bytes.begin(), digest.bytes.begin() + kChecksumBytes);
    record.append(payload.begin(), payload.end());
    return record;
}

// The record that the bytes begin with, and takes it off; nothing if it is torn or damaged.
std::optional<JournaledTransaction> next_record(chain::ByteSpan& bytes) {
    if (bytes.size() < MempoolJournal::kFrameBytes) return std::nullopt;
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length |= std::size_t{bytes[i]} << 8 * i;
    if (length > bytes.size() - MempoolJournal::kFrameBytes) return std::nullopt;
    const auto payload = bytes.subspan(MempoolJournal::kFrameBytes, length);
    const chain::Hash256 digest = chain::sha256(payload);
    if (!std::equal(digest.bytes.begin(), digest.bytes.begin() + kChecksumBytes, &bytes[4]))
        return std::nullopt;
    auto decoded = chain::decode_exact<Payload>(payload);
    if (!decoded) return std::nullopt;
    bytes = bytes.subspan(MempoolJournal::kFrameBytes + length);
    return JournaledTransaction{decoded->time_ms, std::make_shared<const chain::SignedTransaction>(
                                                      std::move(decoded->transaction))};
}

}  // namespace

MempoolJournal::MempoolJournal(std::filesystem::path file) : path_(std::move(file)) {
    if (!path_exists(path_)) {
        write_file_atomically(path_, kMagic, 0600);
        open();
        size_bytes_ = kMagic.size();
        return;
    }
    const std::string text = read_file(path_, kMaxBytes, ExitCode::data_directory);
    if (!text.starts_with(kMagic)) {
        throw Failure(
            ExitCode::data_directory,
            fmt::format("{} is no journal of transactions that this program reads: remove "
                        "it to go on without the transactions in it.",
                        path_.string()));
    }
    auto rest = chain::as_bytes(text).subspan(kMagic.size());
    while (auto one = next_record(rest)) read_.push_back(*std::move(one));
    torn_bytes_ = rest.size();
    size_bytes_ = text.size() - torn_bytes_;
    open();
    if (torn_bytes_ > 0 && ::ftruncate(file_->get(), static_cast<::off_t>(size_bytes_)) != 0)
        throw cannot_write(path_);
}

void MempoolJournal::open() {
    file_ = std::make_shared<const FileDescriptor>(
        ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    if (!file_->is_open()) throw cannot_write(path_);
}

void MempoolJournal::append(const JournaledTransaction& one) {
    const std::string record = record_of(one);
    for (std::size_t done = 0; done < record.size();) {
        const ::ssize_t put = ::write(file_->get(), record.data() + done, record.size() - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            const Failure failure = cannot_write(path_);
            // Should this fail too, the next start cuts the piece off.
            static_cast<void>(::ftruncate(file_->get(), static_cast<::off_t>(size_bytes_)) == 0);
            throw failure;
        }
        done += static_cast<std::size_t>(put);
    }
    size_bytes_ += record.size();
}

void MempoolJournal::rewrite(std::span<const JournaledTransaction> all) {
    std::string text(kMagic);
    for (const auto& one : all) text += record_of(one);
    write_file_atomically(path_, text, 0600);
    open();
    size_bytes_ = text.size();
}

std::function<void()> MempoolJournal::sync_job() const {
    return [file = file_, path = path_] {
        if (::fdatasync(file->get()) != 0) throw cannot_write(path);
    };
}

}  // namespace gradient::node
