#include "node/sync/snapshot_shelf.hpp"

#include "chain/base/hash.hpp"
#include "chain/snapshot.hpp"
#include "node/setup/failure.hpp"
#include "node/setup/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

namespace gradient::node {

namespace {

chain::Bytes read_part(std::ifstream& stream) {
    chain::Bytes part(kSnapshotPartBytes);
    stream.read(reinterpret_cast<char*>(part.data()), static_cast<std::streamsize>(part.size()));
    part.resize(static_cast<std::size_t>(stream.gcount()));
    return part;
}

Failure cannot_write(const std::filesystem::path& file, const std::string& why) {
    return {ExitCode::storage, fmt::format("Cannot write the snapshot {}: {}", file.string(), why)};
}

}  // namespace

chain::Hash256 snapshot_part_id(chain::ByteSpan part) noexcept {
    static const chain::TaggedHasher kHasher("gradient/snapshot-part");
    return kHasher(part);
}

SnapshotShelf::SnapshotShelf(std::filesystem::path folder, std::uint64_t interval)
    : folder_(std::move(folder)), interval_(interval) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::optional<std::uint64_t> SnapshotShelf::due(std::uint64_t tip_height) const noexcept {
    if (interval_ == 0 || tip_height < interval_ + kDepth) return std::nullopt;
    const std::uint64_t height = (tip_height - kDepth) / interval_ * interval_;
    const bool made = !entries_.empty() && entries_.back().offer.height >= height;
    return made || height <= passed_over_ ? std::nullopt : std::optional(height);
}

SnapshotShelf::Entry SnapshotShelf::make(const chain::KeyValueStore& store,
                                         const std::filesystem::path& folder,
                                         std::uint64_t height) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw cannot_write(folder, error.message());
    Entry entry;
    entry.file = folder / fmt::format("{}.snapshot", height);
    std::ofstream out(entry.file, std::ios::binary | std::ios::trunc);
    const auto made = chain::export_snapshot(store, height, out);
    out.close();
    if (!made) throw cannot_write(entry.file, chain::describe(made.error()));
    if (!out) throw cannot_write(entry.file, system_error_text());
    entry.offer.height = made->height;
    entry.offer.block = made->block;
    entry.offer.state_root = made->state_root;
    entry.offer.size_bytes = made->size_bytes;
    std::ifstream in(entry.file, std::ios::binary);
    for (auto part = read_part(in); !part.empty(); part = read_part(in)) {
        if (entry.offer.parts.size() == kMaxSnapshotParts) {
            throw cannot_write(entry.file, "it has more parts than peers take");
        }
        entry.offer.parts.push_back(snapshot_part_id(part));
    }
    return entry;
}

void SnapshotShelf::add(Entry entry) {
    entries_.push_back(std::move(entry));
    if (entries_.size() <= kKept) return;
    std::error_code ignored;
    std::filesystem::remove(entries_.front().file, ignored);
    entries_.erase(entries_.begin());
}

SnapshotOffer SnapshotShelf::offer() const {
    return entries_.empty() ? SnapshotOffer() : entries_.back().offer;
}

chain::Bytes SnapshotShelf::part(const chain::Hash256& id) const {
    for (const Entry& entry : entries_) {
        const auto& parts = entry.offer.parts;
        const auto found = std::ranges::find(parts, id);
        if (found == parts.end()) continue;
        std::ifstream in(entry.file, std::ios::binary);
        in.seekg((found - parts.begin()) * static_cast<std::streamoff>(kSnapshotPartBytes));
        return read_part(in);
    }
    return {};
}

}  // namespace gradient::node
