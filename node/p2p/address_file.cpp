#include "node/p2p/address_file.hpp"

#include "node/p2p/peer_file.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace gradient::node {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxEntryBytes = 512;
constexpr std::size_t kMaxFileBytes =
    (kFreshBuckets + kTriedBuckets) * kBucketSize * kMaxEntryBytes + (1U << 16U);

json::object to_json(const KnownAddress& known) {
    return {{"address", format_endpoint(known.endpoint)},
            {"source", known.source.to_string()},
            {"services", known.services},
            {"last_seen_s", known.last_seen_s},
            {"last_try_s", known.last_try_s},
            {"last_success_s", known.last_success_s},
            {"failures", known.failures},
            {"refusals", known.refusals},
            {"tried", known.is_tried}};
}

Endpoint parse(const std::string& text) {
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) {
        throw std::invalid_argument(fmt::format("'{}' is no address", text.substr(0, 128)));
    }
    return *endpoint;
}

std::uint32_t small_number_at(const json::object& object, std::string_view name) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min(number_at(object, name), kMost));
}

KnownAddress from_json(const json::object& object) {
    KnownAddress known;
    known.endpoint = parse(text_at(object, "address"));
    known.source = boost::asio::ip::make_address(text_at(object, "source"));
    known.services = small_number_at(object, "services");
    known.last_seen_s = number_at(object, "last_seen_s");
    known.last_try_s = number_at(object, "last_try_s");
    known.last_success_s = number_at(object, "last_success_s");
    known.failures = small_number_at(object, "failures");
    known.refusals = small_number_at(object, "refusals");
    known.is_tried = object.at("tried").as_bool();
    return known;
}

chain::Hash256 salt_at(const json::object& object) {
    const auto salt = chain::Hash256::from_hex(text_at(object, "salt"));
    if (!salt) throw std::invalid_argument("its salt is not 64 hexadecimal digits");
    return *salt;
}

}  // namespace

chain::Result<StoredAddresses, std::string> load_addresses(const std::filesystem::path& file,
                                                           const chain::Hash256& new_salt,
                                                           const chain::Hash256& seed,
                                                           UnixSeconds now) {
    StoredAddresses stored{AddressBook(new_salt, seed), {}};
    const auto read = read_peer_file(file, kMaxFileBytes, [&](const json::object& object) {
        stored.book = AddressBook(salt_at(object), seed);
        for (const json::value& one : object.at("addresses").as_array()) {
            stored.book.restore(from_json(one.as_object()));
        }
        for (const json::value& one : object.at("anchors").as_array()) {
            const json::string& text = one.as_string();
            stored.anchors.push_back(parse({text.data(), text.size()}));
        }
    });
    if (!read) return chain::fail(read.error());
    if (stored.anchors.size() > kMaxAnchors) stored.anchors.resize(kMaxAnchors);
    stored.book.expire(now);
    return stored;
}

void save_addresses(const std::filesystem::path& file, const AddressBook& book,
                    const std::vector<Endpoint>& anchors) {
    json::array addresses;
    for (const KnownAddress& known : book.all()) addresses.push_back(to_json(known));
    json::array last;
    for (const Endpoint& anchor : anchors) last.push_back(json::string(format_endpoint(anchor)));
    write_peer_file(file, {{"salt", book.salt().to_hex()},
                           {"anchors", std::move(last)},
                           {"addresses", std::move(addresses)}});
}

}  // namespace gradient::node
