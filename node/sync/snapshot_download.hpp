#pragma once

#include "chain/base/bytes.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/peer_id.hpp"
#include "node/setup/files.hpp"
#include "node/sync/outlets.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <vector>

namespace gradient::node {

/// Whether an offer is one at all: parts as many as its bytes take, within all limits.
[[nodiscard]] bool is_well_formed(const SnapshotOffer& offer) noexcept;

/// Fetches the parts of one snapshot from all peers that offer it, into a file. Any part that a
/// peer sends has its name or costs that peer its place.
class SnapshotDownload {
  public:
    /// Parts asked of one peer at a time.
    static constexpr std::size_t kPartsPerPeer = 4;
    /// Time for one part (seconds); then it is asked of another.
    static constexpr std::chrono::seconds kPartTimeout{20};

    /// Uses `send` and `report` of the outlets. Precondition: is_well_formed(offer). Throws
    /// Failure(storage) if the file can't be made.
    SnapshotDownload(SnapshotOffer offer, const std::filesystem::path& file, SyncOutlets outlets);

    [[nodiscard]] const SnapshotOffer& offer() const noexcept { return offer_; }
    void add_peer(PeerId peer, SteadyTime now);
    void remove_peer(PeerId peer, SteadyTime now);
    void on_part(PeerId peer, const SnapshotPart& part, SteadyTime now);
    void tick(SteadyTime now);

    [[nodiscard]] bool is_done() const noexcept { return written_ == offer_.parts.size(); }
    [[nodiscard]] std::size_t parts_written() const noexcept { return written_; }
    [[nodiscard]] bool has_peers() const noexcept { return !peers_.empty(); }

  private:
    struct Asked {
        std::size_t part = 0;
        SteadyTime since;
    };

    void ask(PeerId peer, SteadyTime now);
    void ask_all(SteadyTime now);
    void give_back(PeerId peer);
    void blame(PeerId peer, ProtocolOffence offence);
    void write(std::size_t part, chain::ByteSpan bytes);

    SnapshotOffer offer_;
    std::filesystem::path path_;
    FileDescriptor file_;
    SyncOutlets outlets_;
    std::deque<std::size_t> wanted_;
    std::map<PeerId, std::deque<Asked>> peers_;
    std::size_t written_ = 0;
};

}  // namespace gradient::node
