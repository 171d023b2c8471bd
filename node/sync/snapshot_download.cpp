#include "node/sync/snapshot_download.hpp"

#include "node/setup/failure.hpp"
#include "node/sync/snapshot_shelf.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace gradient::node {

namespace {

constexpr std::uint64_t parts_of(std::uint64_t size_bytes) noexcept {
    return size_bytes / kSnapshotPartBytes + (size_bytes % kSnapshotPartBytes != 0 ? 1 : 0);
}

Failure cannot_write(const std::filesystem::path& file) {
    return {ExitCode::storage,
            fmt::format("Cannot write the snapshot {}: {}", file.string(), system_error_text())};
}

}  // namespace

bool is_well_formed(const SnapshotOffer& offer) noexcept {
    return !offer.parts.empty() && offer.parts.size() <= kMaxSnapshotParts &&
           parts_of(offer.size_bytes) == offer.parts.size();
}

SnapshotDownload::SnapshotDownload(SnapshotOffer offer, const std::filesystem::path& file,
                                   SyncOutlets outlets)
    : offer_(std::move(offer)),
      path_(file),
      file_(::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)),
      outlets_(std::move(outlets)) {
    if (!file_.is_open()) throw cannot_write(path_);
    for (std::size_t part = 0; part < offer_.parts.size(); ++part) wanted_.push_back(part);
}

void SnapshotDownload::add_peer(PeerId peer, SteadyTime now) {
    if (peers_.try_emplace(peer).second) ask(peer, now);
}

void SnapshotDownload::remove_peer(PeerId peer, SteadyTime now) {
    if (!peers_.contains(peer)) return;
    give_back(peer);
    ask_all(now);
}

void SnapshotDownload::on_part(PeerId peer, const SnapshotPart& part, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return outlets_.report(peer, ProtocolOffence::unsolicited);
    auto& asked = found->second;
    const auto matches = [&](const Asked& one) { return offer_.parts[one.part] == part.part; };
    const auto which = std::ranges::find_if(asked, matches);
    if (which == asked.end()) return blame(peer, ProtocolOffence::unsolicited);
    if (part.bytes.empty()) {  // it serves another snapshot by now: nothing wrong
        give_back(peer);
        return ask_all(now);
    }
    if (snapshot_part_id(part.bytes) != part.part) {
        blame(peer, ProtocolOffence::false_snapshot);
        return ask_all(now);
    }
    write(which->part, part.bytes);
    asked.erase(which);
    ++written_;
    ask(peer, now);
}

void SnapshotDownload::tick(SteadyTime now) {
    std::vector<PeerId> slow;
    for (const auto& [peer, asked] : peers_) {
        if (!asked.empty() && now - asked.front().since > kPartTimeout) slow.push_back(peer);
    }
    for (const PeerId peer : slow) blame(peer, ProtocolOffence::stalled);
    if (!slow.empty()) ask_all(now);
}

void SnapshotDownload::ask(PeerId peer, SteadyTime now) {
    auto& asked = peers_.at(peer);
    while (asked.size() < kPartsPerPeer && !wanted_.empty()) {
        asked.push_back({wanted_.front(), now});
        wanted_.pop_front();
        outlets_.send(peer, GetSnapshotPart{offer_.parts[asked.back().part]});
    }
}

void SnapshotDownload::ask_all(SteadyTime now) {
    for (const auto& entry : peers_) ask(entry.first, now);
}

// What a peer that is no longer asked had been asked for.
void SnapshotDownload::give_back(PeerId peer) {
    const auto node = peers_.extract(peer);
    for (const Asked& one : node.mapped()) wanted_.push_front(one.part);
}

void SnapshotDownload::blame(PeerId peer, ProtocolOffence offence) {
    give_back(peer);
    outlets_.report(peer, offence);
}

void SnapshotDownload::write(std::size_t part, chain::ByteSpan bytes) {
    auto offset = static_cast<::off_t>(part * kSnapshotPartBytes);
    while (!bytes.empty()) {
        const ::ssize_t done = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
        if (done <= 0) throw cannot_write(path_);
        bytes = bytes.subspan(static_cast<std::size_t>(done));
        offset += done;
    }
}

}  // namespace gradient::node
