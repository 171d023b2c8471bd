#include "chain/base/amount.hpp"
#include "chain/base/u256.hpp"
#include "chain/consensus/genesis_base64.hpp"
#include "chain/consensus/genesis_fields.hpp"
#include "chain/consensus/genesis_spec.hpp"
#include "chain/types/data.hpp"

#include <boost/json.hpp>

#include <array>
#include <concepts>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace gradient::chain {

namespace {

namespace json = boost::json;

std::string hex_of(std::uint32_t bits) {
    Bytes bytes;
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        bytes.push_back(static_cast<std::uint8_t>(bits >> (shift - 8)));
    }
    return to_hex(bytes);
}

class ObjectWriter {
  public:
    template <std::integral T>
    void field(std::string_view name, const T& value) {
        object_[name] = value;
    }
    void field(std::string_view name, const Amount& value) { object_[name] = value.to_string(); }
    void field(std::string_view name, const std::string& value) { object_[name] = value; }
    void bits(std::string_view name, const std::uint32_t& value) { object_[name] = hex_of(value); }

    json::object take() && { return std::move(object_); }

  private:
    json::object object_;
};

// Takes fields out of an object; the first complaint stays, and what is left over is one.
class ObjectReader {
  public:
    // `path` names the object in messages: "" or "params.".
    ObjectReader(const json::value* value, std::string path) : path_(std::move(path)) {
        const json::object* object = value != nullptr ? value->if_object() : nullptr;
        if (object == nullptr) {
            complain("", "must be an object");
        } else {
            object_ = *object;
        }
    }

    template <std::integral T>
    void field(std::string_view name, T& value) {
        const auto taken = take(name);
        if (!taken) return;
        const auto number = integer<T>(*taken);
        if (!number) {
            return complain(name, "must be an integer from " +
                                      std::to_string(std::numeric_limits<T>::min()) + " to " +
                                      std::to_string(std::numeric_limits<T>::max()));
        }
        value = *number;
    }

    void field(std::string_view name, Amount& value) {
        std::string text;
        field(name, text);
        const auto amount = Amount::parse(text);
        if (!amount) return complain(name, "must be an amount of coins in quotes, like \"10.5\"");
        value = *amount;
    }

    void field(std::string_view name, std::string& value) {
        const auto taken = take(name);
        if (!taken) return;
        if (!taken->is_string()) return complain(name, "must be a string");
        const json::string& text = taken->get_string();
        value.assign(text.data(), text.size());
    }

    void bits(std::string_view name, std::uint32_t& value) {
        std::string text;
        field(name, text);
        std::array<std::uint8_t, 4> bytes{};
        if (!from_hex(text, bytes)) {
            return complain(name, "must be a target of eight hexadecimal digits in quotes");
        }
        value = 0;
        for (const std::uint8_t byte : bytes) value = value << 8U | byte;
    }

    // A field as it is, for nested objects; null after a complaint.
    const json::value* value(std::string_view name) {
        const json::value* found = object_.if_contains(name);
        if (found == nullptr) {
            complain(name, "is missing");
            return nullptr;
        }
        kept_.emplace_back(std::make_unique<json::value>(*found));
        object_.erase(name);
        return kept_.back().get();
    }

    void complain(std::string_view name, const std::string& why) {
        if (error_) return;
        std::string field = path_ + std::string(name);
        if (field.ends_with('.')) field.pop_back();
        error_ = SpecError{field.empty() ? "chain spec " + why
                                         : "chain spec field " + field + ": " + why};
    }

    [[nodiscard]] Result<void, SpecError> error() const {
        if (error_) return fail(*error_);
        return {};
    }

    // No complaint, and no field left over.
    [[nodiscard]] Result<void, SpecError> finish() {
        if (!error_ && !object_.empty()) {
            complain(object_.begin()->key(), "is unknown to this version");
        }
        return error();
    }

  private:
    std::optional<json::value> take(std::string_view name) {
        const json::value* found = value(name);
        if (found == nullptr) return std::nullopt;
        return *found;
    }

    template <std::integral T>
    static std::optional<T> integer(const json::value& value) {
        if (value.is_int64() && std::in_range<T>(value.get_int64())) {
            return static_cast<T>(value.get_int64());
        }
        if (value.is_uint64() && std::in_range<T>(value.get_uint64())) {
            return static_cast<T>(value.get_uint64());
        }
        return std::nullopt;
    }

    std::string path_;
    json::object object_;
    std::vector<std::unique_ptr<json::value>> kept_;
    std::optional<SpecError> error_;
};

// The text, after comparing it with the size and root that the file states.
Result<Bytes, SpecError> read_data(const json::value* value) {
    ObjectReader reader(value, "data.");
    std::string format;
    std::uint64_t size = 0;
    std::string root;
    std::string base64;
    reader.field("format", format);
    reader.field("bytes", size);
    reader.field("root", root);
    reader.field("base64", base64);
    TRY(reader.finish());
    if (format != "text") reader.complain("format", "must be \"text\"");
    auto text = from_base64(base64);
    if (!text) {
        reader.complain("base64", "is not padded base64");
    } else if (text->size() != size) {
        reader.complain("bytes", "says " + std::to_string(size) + ", but the data have " +
                                     std::to_string(text->size()));
    } else if (data_root(*text).to_hex() != root) {
        reader.complain("root", "does not match the data: the file is damaged or was changed");
    }
    TRY(reader.finish());
    return *std::move(text);
}

}  // namespace

std::string to_json(const ChainSpec& spec) {
    ObjectWriter params;
    visit_params(params, spec.params);
    ObjectWriter shape;
    visit_model(shape, spec.model);
    ObjectWriter data;
    data.field("format", std::string("text"));
    data.field("bytes", spec.text.size());
    data.field("root", data_root(spec.text).to_hex());
    data.field("base64", to_base64(spec.text));

    json::object file;
    file["version"] = kChainSpecVersion;
    file["name"] = spec.name;
    file["network_id"] = spec.network_id;
    file["params"] = std::move(params).take();
    file["model"] = std::move(shape).take();
    file["data"] = std::move(data).take();
    // One member a line: a chain spec is read by people, too.
    std::string text = "{";
    for (const auto& member : file) {
        text += text.size() == 1 ? "\n" : ",\n";
        text += "  " + json::serialize(json::string(member.key())) + ": ";
        const json::object* nested = member.value().if_object();
        if (nested == nullptr) {
            text += json::serialize(member.value());
            continue;
        }
        bool first = true;
        for (const auto& inner : *nested) {
            text += first ? "{\n    " : ",\n    ";
            first = false;
            text += json::serialize(json::string(inner.key())) + ": ";
            text += json::serialize(inner.value());
        }
        text += "\n  }";
    }
    return text + "\n}\n";
}

Result<ChainSpec, SpecError> parse_chain_spec(std::string_view text) {
    if (text.size() > kMaxChainSpecBytes) return fail(SpecError{"chain spec is too large"});
    json::error_code error;
    const json::value file = json::parse(text, error);
    if (error) return fail(SpecError{"chain spec is no JSON: " + error.message()});

    ObjectReader reader(&file, "");
    ChainSpec spec;
    std::uint32_t version = 0;
    reader.field("version", version);
    if (version != kChainSpecVersion) {
        reader.complain("version", "is " + std::to_string(version) + ", this program reads " +
                                       std::to_string(kChainSpecVersion));
    }
    TRY(reader.error());
    reader.field("name", spec.name);
    reader.field("network_id", spec.network_id);
    const json::value* params = reader.value("params");
    const json::value* shape = reader.value("model");
    const json::value* data = reader.value("data");
    TRY(reader.finish());

    ObjectReader params_reader(params, "params.");
    visit_params(params_reader, spec.params);
    TRY(params_reader.finish());
    ObjectReader model_reader(shape, "model.");
    visit_model(model_reader, spec.model);
    TRY(model_reader.finish());
    TRY_ASSIGN(spec.text, read_data(data));
    TRY(check_chain_spec(spec));
    return spec;
}

Result<ChainSpec, SpecError> load_chain_spec(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return fail(
            SpecError{path + ": cannot be opened; give the chain-spec file of the network"});
    }
    std::string text(kMaxChainSpecBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return fail(SpecError{path + ": cannot be read"});
    text.resize(static_cast<std::size_t>(file.gcount()));
    auto spec = parse_chain_spec(text);
    if (!spec) return fail(SpecError{path + ": " + spec.error().message});
    return spec;
}

}  // namespace gradient::chain
