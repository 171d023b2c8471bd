#include "tools/cli/proof_file.hpp"

#include "chain/state/entries.hpp"
#include "chain/work/digests.hpp"
#include "tools/cli/terminal.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace gradient::cli {

namespace {

namespace json = boost::json;

/// Reads members of one object; the first wrong one is named in a sentence.
class Members {
  public:
    explicit Members(const json::object& object) : object_(object) {}

    const json::value* find(std::string_view name) {
        const auto* const value = object_.if_contains(name);
        if (value == nullptr) refuse(name);
        return value;
    }
    std::string text(std::string_view name) {
        const auto* const value = find(name);
        if (value != nullptr && value->is_string()) return std::string(value->get_string());
        refuse(name);
        return {};
    }
    std::uint64_t number(std::string_view name) {
        const auto* const value = find(name);
        if (value != nullptr && value->is_int64() && value->get_int64() >= 0)
            return static_cast<std::uint64_t>(value->get_int64());
        refuse(name);
        return 0;
    }
    chain::Hash256 hash(std::string_view name) {
        const auto hash = chain::Hash256::from_hex(text(name));
        if (!hash) refuse(name);
        return hash.value_or(chain::Hash256{});
    }
    void refuse(std::string_view name) {
        if (error_.empty()) error_ = fmt::format("its member {} is missing or wrong", name);
    }
    [[nodiscard]] const std::string& error() const { return error_; }

  private:
    const json::object& object_;
    std::string error_;
};

void read_subject(Members& members, ProofFile& file) {
    const std::string kind = members.text("kind");
    if (kind == "account") {
        const auto address =
            chain::parse_address(members.text("address"), chain::kDefaultAddressPrefix);
        if (!address) return members.refuse("address");
        file.address = *address;
    } else if (kind == "task" || kind == "model") {
        file.kind = kind == "task" ? ProofKind::task : ProofKind::model;
        const std::uint64_t task = members.number("task");
        if (task > std::numeric_limits<std::uint32_t>::max()) return members.refuse("task");
        file.task = static_cast<std::uint32_t>(task);
    } else {
        members.refuse("kind");
    }
}

void read_entry(Members& members, ProofFile& file) {
    const auto* const entry = members.find("entry");
    if (entry == nullptr || entry->is_null()) return;
    if (entry->is_string()) file.entry = chain::from_hex(entry->get_string());
    if (!file.entry) members.refuse("entry");
}

void read_leaf(Members& members, ProofFile& file) {
    const auto* const leaf = members.find("leaf");
    if (leaf == nullptr || leaf->is_null()) return;
    if (!leaf->is_object()) return members.refuse("leaf");
    Members inner(leaf->get_object());
    file.proof.leaf = {inner.hash("path"), inner.hash("value_hash")};
    if (!inner.error().empty()) members.refuse("leaf");
}

void read_siblings(Members& members, ProofFile& file) {
    const auto* const list = members.find("siblings");
    if (list == nullptr) return;
    if (!list->is_array() || list->get_array().size() > chain::kMaxTreeDepth)
        return members.refuse("siblings");
    for (const auto& each : list->get_array()) {
        const auto hash = each.is_string() ? chain::Hash256::from_hex(each.get_string())
                                           : std::optional<chain::Hash256>();
        if (!hash) return members.refuse("siblings");
        file.proof.siblings.push_back(*hash);
    }
}

chain::StateKey key_of(const ProofFile& file) {
    switch (file.kind) {
        case ProofKind::account:
            return chain::account_key(file.address);
        case ProofKind::task:
            return chain::task_key(file.task);
        case ProofKind::model:
            return chain::model_key(file.task);
    }
    return {};
}

/// Adds what an entry holds to an answer.
class FactWriter {
  public:
    FactWriter(json::object& result, Listing& lines) : result_(result), lines_(lines) {}

    template <class T>
    void add(const std::string& name, const T& value) {
        std::string label = name;
        std::replace(label.begin(), label.end(), '_', ' ');
        if constexpr (std::is_convertible_v<T, std::string_view>) {
            lines_.add(label, std::string(value));
            result_[name] = std::string_view(value);
        } else {
            lines_.add(label, fmt::format("{}", value));
            result_[name] = value;
        }
    }

    // Whether the entry is of its kind.
    bool add_entry(const ProofFile& file) {
        switch (file.kind) {
            case ProofKind::account:
                return add_account(*file.entry);
            case ProofKind::task:
                return add_task(*file.entry, file.task);
            case ProofKind::model:
                return add_model(*file.entry);
        }
        return false;
    }

  private:
    bool add_account(chain::ByteSpan entry) {
        const auto account = chain::decode_exact<chain::Account>(entry);
        if (!account) return false;
        add("balance", account->balance.to_string());
        add("nonce", account->nonce);
        return true;
    }
    bool add_task(chain::ByteSpan entry, std::uint32_t id) {
        const auto task = chain::decode_exact<chain::TaskRecord>(entry);
        if (!task || task->id != id) return false;
        add("data_root", task->data_root.to_hex());
        add("data_bytes", task->data_bytes);
        add("unit_budget", task->unit_budget);
        add("pay_per_hit", task->pay_per_hit.to_string());
        add("task_digest", chain::task_digest(*task).to_hex());
        return true;
    }
    bool add_model(chain::ByteSpan entry) {
        const auto parameters = chain::decode_parameters(entry);
        if (!parameters) return false;
        add("parameters", parameters->size());
        add("model_digest", chain::model_digest(*parameters).to_hex());
        return true;
    }

    json::object& result_;
    Listing& lines_;
};

std::string subject_of(const ProofFile& file) {
    switch (file.kind) {
        case ProofKind::account:
            return "account " + chain::to_text(file.address, chain::kDefaultAddressPrefix);
        case ProofKind::task:
            return fmt::format("task {}", file.task);
        case ProofKind::model:
            return fmt::format("model of task {}", file.task);
    }
    return {};
}

}  // namespace

chain::Result<ProofFile, std::string> parse_proof(std::string_view text) {
    boost::system::error_code error;
    const auto parsed = json::parse(text, error);
    if (error || !parsed.is_object()) return chain::fail(std::string("it is no JSON object"));
    Members members(parsed.get_object());
    ProofFile file;
    if (members.text("format") != "gradient state proof") members.refuse("format");
    if (members.number("version") != 1) members.refuse("version");
    read_subject(members, file);
    read_entry(members, file);
    read_siblings(members, file);
    read_leaf(members, file);
    const auto header = parse_header(members.text("header"));
    if (header)
        file.header = *header;
    else
        members.refuse("header");
    if (!members.error().empty()) return chain::fail(members.error());
    return file;
}

std::optional<chain::Header> parse_header(std::string_view hex) {
    const auto bytes = chain::from_hex(hex);
    if (!bytes) return std::nullopt;
    const auto header = chain::decode_exact<chain::Header>(*bytes);
    if (!header) return std::nullopt;
    return *header;
}

chain::Result<void, chain::StateProofError> check_proof(const ProofFile& file,
                                                        const chain::Header& header) {
    const auto key = key_of(file);
    if (!file.entry) return chain::verify_exclusion(header.tmpl.state_root, key, file.proof);
    return chain::verify_inclusion(header.tmpl.state_root, key, *file.entry, file.proof);
}

std::optional<ProvedFact> describe_proof(const ProofFile& file, const chain::Header& header) {
    json::object result{{"proved", true}};
    Listing lines;
    FactWriter writer(result, lines);
    writer.add("subject", subject_of(file));
    writer.add("exists", file.entry.has_value());
    if (file.entry && !writer.add_entry(file)) return std::nullopt;
    writer.add("block", chain::header_id(header).to_hex());
    writer.add("height", header.tmpl.height);
    writer.add("state_root", header.tmpl.state_root.to_hex());
    return ProvedFact{
        std::move(result),
        lines.text() + "The state before this block, after its parent, is as shown.\n"};
}

}  // namespace gradient::cli
