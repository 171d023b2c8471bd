#pragma once

// The transactions that this node has acknowledged, so that the end of the process loses none.
//
//   file    "gradient mempool 1\n", records
//   record  length of the payload u32, first 8 bytes of SHA-256 of the payload, payload
//   payload when it came u64 (milliseconds since 1970), signed transaction
//
// Numbers are little-endian. A record that is torn, or does not have its checksum, ends the file:
// what follows is cut off.

#include "chain/base/bytes.hpp"
#include "chain/types/transaction.hpp"
#include "node/setup/files.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace gradient::node {

/// A transaction and when it came.
struct JournaledTransaction {
    std::uint64_t time_ms = 0;
    std::shared_ptr<const chain::SignedTransaction> transaction;
};

/// The journal of one node's mempool, a file. What append() has written outlives the process at
/// once, and the machine once sync_job() has run. Belongs to one thread.
class MempoolJournal {
  public:
    static constexpr std::string_view kMagic = "gradient mempool 1\n";
    /// Bytes of the file above which it is damaged: far more than the pool may ever hold.
    static constexpr std::size_t kMaxBytes = std::size_t{1} << 30U;
    /// Bytes of a record beside its payload.
    static constexpr std::size_t kFrameBytes = 12;

    /// Opens the file or makes it (mode 0600), reads it, and cuts off what is torn. Throws
    /// Failure(data_directory) if it is no journal, Failure(storage) if it can't be written.
    explicit MempoolJournal(std::filesystem::path file);

    /// What it held when it was opened, in the order of its coming; gives it once.
    [[nodiscard]] std::vector<JournaledTransaction> take_read() { return std::move(read_); }
    /// Bytes that were cut off then.
    [[nodiscard]] std::size_t torn_bytes() const noexcept { return torn_bytes_; }

    /// Adds one, as a whole or not at all. Throws Failure(storage).
    void append(const JournaledTransaction& one);

    /// Replaces all by these, in one step, synced. Throws Failure(storage).
    void rewrite(std::span<const JournaledTransaction> all);

    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

    /// Makes durable what has been appended so far; may run on any thread, at any time. Throws
    /// Failure(storage).
    [[nodiscard]] std::function<void()> sync_job() const;

  private:
    void open();

    std::filesystem::path path_;
    std::shared_ptr<const FileDescriptor> file_;
    std::size_t size_bytes_ = 0;
    std::size_t torn_bytes_ = 0;
    std::vector<JournaledTransaction> read_;
};

}  // namespace gradient::node
