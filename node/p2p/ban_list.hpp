#pragma once

// Who is not talked to, by node and by address. Bans of misbehaviour end by themselves; those of
// the operator too, or never.

#include "chain/base/result.hpp"
#include "node/p2p/moment.hpp"
#include "node/p2p/net_address.hpp"
#include "node/p2p/peer_id.hpp"

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gradient::node {

/// How long misbehaviour bans.
inline constexpr std::chrono::seconds kBanTime = std::chrono::hours(24);
/// Bans of either origin that are held; of those for misbehaviour the one that ends first gives
/// way.
inline constexpr std::size_t kMaxBans = 2048;
/// Longest reason that is kept, in bytes.
inline constexpr std::size_t kMaxBanReasonBytes = 256;
/// End of a ban that does not end.
inline constexpr UnixSeconds kForever = std::uint64_t{1} << 53U;

/// Addresses that one ban covers: one of IPv4, a /64 of IPv6, since that many are one owner's.
struct BannedAddress {
    IpBytes ip{};

    friend auto operator<=>(const BannedAddress&, const BannedAddress&) = default;
};
[[nodiscard]] BannedAddress banned_address(const boost::asio::ip::address& address) noexcept;

/// Whom a ban keeps away.
using BanTarget = std::variant<NodeId, BannedAddress>;

/// The target's text: 64 hexadecimal digits, or an address.
[[nodiscard]] std::string format_ban_target(const BanTarget& target);
/// The target that such a text names; nothing if it is neither.
[[nodiscard]] std::optional<BanTarget> parse_ban_target(std::string_view text);

/// Who has banned.
enum class BanOrigin : std::uint8_t {
    misbehaviour,   // this node, by itself
    node_operator,  // its operator
};

struct Ban {
    BanOrigin origin = BanOrigin::misbehaviour;
    UnixSeconds since_s = 0;
    UnixSeconds until_s = 0;  ///< the first second in which it no longer holds
    std::string reason;

    friend bool operator==(const Ban&, const Ban&) = default;
};

/// All bans, bounded. Not thread-safe.
class BanList {
  public:
    /// Adds a ban or makes one longer; a ban of the operator's replaces any, one for misbehaviour
    /// never one of the operator's. False if there is no room for it, or it has ended.
    bool add(const BanTarget& target, Ban ban, UnixSeconds now);

    /// Ends a ban; false if there is none.
    bool lift(const BanTarget& target) { return bans_.erase(target) > 0; }

    /// The ban of the node or the address that holds now.
    [[nodiscard]] const Ban* find(const NodeId& node, UnixSeconds now) const;
    [[nodiscard]] const Ban* find(const boost::asio::ip::address& address, UnixSeconds now) const;

    /// Forgets bans that have ended; says whether there were any.
    bool expire(UnixSeconds now);

    /// Every ban, in the order of its targets, those that have ended since expire() included.
    [[nodiscard]] const std::map<BanTarget, Ban>& all() const noexcept { return bans_; }

    friend bool operator==(const BanList&, const BanList&) = default;

  private:
    [[nodiscard]] const Ban* holding(const BanTarget& target, UnixSeconds now) const;
    bool make_room();

    std::map<BanTarget, Ban> bans_;
};

/// The bans of a file; none if there is no such file. The error is a sentence that names the file.
[[nodiscard]] chain::Result<BanList, std::string> load_bans(const std::filesystem::path& file,
                                                            UnixSeconds now);

/// Replaces the file in one step. Throws Failure(storage).
void save_bans(const std::filesystem::path& file, const BanList& bans);

}  // namespace gradient::node
