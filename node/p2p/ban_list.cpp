#include "node/p2p/ban_list.hpp"

#include "node/p2p/peer_file.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace gradient::node {

namespace json = boost::json;
namespace ip = boost::asio::ip;

namespace {

constexpr std::size_t kMaxBanBytes = 512 + 6 * kMaxBanReasonBytes;  // every byte may be escaped
constexpr std::size_t kMaxFileBytes = 2 * kMaxBans * kMaxBanBytes;

constexpr std::string_view kOperator = "operator";
constexpr std::string_view kMisbehaviour = "misbehaviour";

json::object to_json(const BanTarget& target, const Ban& ban) {
    return {{"target", format_ban_target(target)},
            {"origin", ban.origin == BanOrigin::node_operator ? kOperator : kMisbehaviour},
            {"since_s", ban.since_s},
            {"until_s", ban.until_s},
            {"reason", ban.reason}};
}

BanOrigin parse_origin(const std::string& text) {
    if (text == kOperator) return BanOrigin::node_operator;
    if (text == kMisbehaviour) return BanOrigin::misbehaviour;
    throw std::invalid_argument(fmt::format("'{}' is no origin of a ban", text.substr(0, 64)));
}

std::pair<BanTarget, Ban> from_json(const json::object& object) {
    const std::string target = text_at(object, "target");
    const auto parsed = parse_ban_target(target);
    if (!parsed) {
        throw std::invalid_argument(
            fmt::format("'{}' is neither a node nor an address", target.substr(0, 128)));
    }
    return {*parsed, Ban{parse_origin(text_at(object, "origin")), number_at(object, "since_s"),
                         number_at(object, "until_s"), text_at(object, "reason")}};
}

// Cuts a text at a character's border: half of one would make the file unreadable.
void shorten(std::string& text, std::size_t most_bytes) {
    if (text.size() <= most_bytes) return;
    const auto continues = [&](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
    };
    while (most_bytes > 0 && continues(most_bytes)) --most_bytes;
    text.resize(most_bytes);
}

}  // namespace

BannedAddress banned_address(const ip::address& address) noexcept {
    BannedAddress target{ip_bytes(address)};
    // What was mapped or never was IPv6.
    if (ip_address(target.ip).is_v6()) std::fill(target.ip.begin() + 8, target.ip.end(), 0);
    return target;
}

std::string format_ban_target(const BanTarget& target) {
    if (const auto* node = std::get_if<NodeId>(&target)) return node->to_hex();
    return ip_address(std::get<BannedAddress>(target).ip).to_string();
}

std::optional<BanTarget> parse_ban_target(std::string_view text) {
    if (const auto node = NodeId::from_hex(text)) return BanTarget(*node);
    boost::system::error_code error;
    const auto address = ip::make_address(text, error);
    if (error) return std::nullopt;
    return BanTarget(banned_address(address));
}

bool BanList::add(const BanTarget& target, Ban ban, UnixSeconds now) {
    if (ban.until_s <= now) return false;
    shorten(ban.reason, kMaxBanReasonBytes);
    if (const auto found = bans_.find(target); found != bans_.end()) {
        Ban& old = found->second;
        const bool is_held = old.until_s > now;
        const bool is_automatic = ban.origin == BanOrigin::misbehaviour;
        if (is_held && is_automatic) {
            const bool keep = old.origin == BanOrigin::node_operator || old.until_s >= ban.until_s;
            if (keep) return true;
        }
        old = std::move(ban);
        return true;
    }
    if (bans_.size() >= kMaxBans) {
        expire(now);
        if (bans_.size() >= kMaxBans && !make_room()) return false;
    }
    bans_.emplace(target, std::move(ban));
    return true;
}

// The ban for misbehaviour that ends first goes. Without one, only the operator could make room.
bool BanList::make_room() {
    const auto rank = [](const auto& entry) {
        return std::pair(entry.second.origin, entry.second.until_s);
    };
    const auto first = std::min_element(
        bans_.begin(), bans_.end(),
        [&](const auto& left, const auto& right) { return rank(left) < rank(right); });
    if (first == bans_.end() || first->second.origin == BanOrigin::node_operator) return false;
    bans_.erase(first);
    return true;
}

const Ban* BanList::holding(const BanTarget& target, UnixSeconds now) const {
    const auto found = bans_.find(target);
    return found != bans_.end() && found->second.until_s > now ? &found->second : nullptr;
}

const Ban* BanList::find(const NodeId& node, UnixSeconds now) const {
    return holding(node, now);
}

const Ban* BanList::find(const ip::address& address, UnixSeconds now) const {
    return holding(banned_address(address), now);
}

bool BanList::expire(UnixSeconds now) {
    return std::erase_if(bans_, [&](const auto& entry) { return entry.second.until_s <= now; }) > 0;
}

chain::Result<BanList, std::string> load_bans(const std::filesystem::path& file, UnixSeconds now) {
    BanList bans;
    const auto read = read_peer_file(file, kMaxFileBytes, [&](const json::object& object) {
        for (const json::value& one : object.at("bans").as_array()) {
            auto [target, ban] = from_json(one.as_object());
            bans.add(target, std::move(ban), now);
        }
    });
    if (!read) return chain::fail(read.error());
    return bans;
}

void save_bans(const std::filesystem::path& file, const BanList& bans) {
    json::array list;
    for (const auto& [target, ban] : bans.all()) list.push_back(to_json(target, ban));
    write_peer_file(file, {{"bans", std::move(list)}});
}

}  // namespace gradient::node
