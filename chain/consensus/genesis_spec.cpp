#include "chain/consensus/genesis_spec.hpp"

#include "chain/base/codec.hpp"
#include "chain/base/hash.hpp"
#include "chain/consensus/genesis_fields.hpp"
#include "chain/types/data.hpp"
#include "chain/types/limits.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/task_model.hpp"
#include "model/task.hpp"
#include "model/text/text_dataset.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

namespace {

// Feeds fields to the digest in their binary encoding.
struct DigestVisitor {
    Sha256& state;

    template <class T>
    void field(std::string_view, const T& value) {
        encode_into(state, value);
    }
    void bits(std::string_view, const std::uint32_t& value) { encode_into(state, value); }
};

// Everything but the network id, which default_chain_spec draws from the rest.
void append_content(Sha256& state, const ChainSpec& spec) {
    write_integer(state, kChainSpecVersion);
    encode_into(state, bounded<kMaxNetworkNameBytes>(spec.name));
    DigestVisitor visitor{state};
    visit_params(visitor, spec.params);
    visit_model(visitor, spec.model);
    encode_into(state, DataFormat::text);
    encode_into(state, data_root(spec.text));
    write_integer(state, static_cast<std::uint64_t>(spec.text.size()));
}

bool is_name(std::string_view name) noexcept {
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    };
    return !name.empty() && name.size() <= kMaxNetworkNameBytes &&
           std::all_of(name.begin(), name.end(), is_allowed);
}

SpecError bad_field(std::string_view field, std::string_view why) {
    return {"chain spec field " + std::string(field) + ": " + std::string(why)};
}

}  // namespace

ChainSpec default_chain_spec(std::string name, Bytes text, std::uint64_t time_ms,
                             std::uint32_t bits) {
    static const TaggedHasher hasher("gradient/network-id");
    ChainSpec spec;
    spec.name = std::move(name);
    spec.params.anchor = {time_ms, bits};
    spec.model = from_model(model::TextDataset::default_config());
    spec.params.max_unit_work = 4 * unit_work(genesis_task(spec));
    spec.text = std::move(text);
    Sha256 state = hasher.start();
    append_content(state, spec);
    const Hash256 digest = state.digest();
    Reader reader(digest.bytes);
    // Zero means "no network".
    spec.network_id = std::max(1U, read_integer<std::uint32_t>(reader).value_or(1));
    return spec;
}

Hash256 spec_digest(const ChainSpec& spec) {
    static const TaggedHasher hasher("gradient/chain-spec");
    Sha256 state = hasher.start();
    append_content(state, spec);
    write_integer(state, spec.network_id);
    return state.digest();
}

TaskRecord genesis_task(const ChainSpec& spec) {
    static const TaggedHasher hasher("gradient/genesis-model");
    TaskRecord task;
    task.id = kGenesisTask;
    task.kind = TaskKind::attention;
    task.shape = spec.model;
    task.data_format = DataFormat::text;
    task.data_root = data_root(spec.text);
    task.data_bytes = spec.text.size();
    task.initial_seed = hasher(spec_digest(spec));
    return task;
}

Result<void, SpecError> check_chain_spec(const ChainSpec& spec) {
    if (!is_name(spec.name)) {
        return fail(bad_field("name", "must be 1 to 64 letters, digits, '-', '_' or '.'"));
    }
    if (spec.network_id == 0) return fail(bad_field("network_id", "must not be 0"));
    if (const auto checked = check_params(spec.params); !checked) {
        return fail(bad_field("params", describe(checked.error())));
    }
    const model::AttentionConfig config = to_model(spec.model);
    if (const auto checked = model::check_config(config); !checked) {
        return fail(bad_field("model", model::describe(checked.error())));
    }
    const std::size_t least = least_segment_bytes(spec.params.work, model::parameter_count(config));
    if (spec.params.work.max_segment_bytes < least) {
        return fail(bad_field(
            "params.max_segment_bytes",
            "a lane of this model and these limits needs " + std::to_string(least) + " bytes"));
    }
    if (spec.text.size() < model::TextDataset::kMinBytes || spec.text.size() > kMaxDataBytes) {
        return fail(bad_field("data", "the text has " + std::to_string(spec.text.size()) +
                                          " bytes; it must have " +
                                          std::to_string(model::TextDataset::kMinBytes) + " to " +
                                          std::to_string(kMaxDataBytes)));
    }
    const auto dataset = make_dataset(genesis_task(spec), spec.text);
    if (!dataset) return fail(bad_field("data", model::describe(dataset.error())));
    const auto trainer = model::Trainer::create(config, **dataset);
    if (!trainer) return fail(bad_field("model", model::describe(trainer.error())));
    return {};
}

}  // namespace gradient::chain
