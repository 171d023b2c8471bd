#include "chain/state/entries.hpp"

#include <bit>
#include <string>

namespace gradient::chain {

namespace {

StateKey key_of(EntryKind kind) {
    return {static_cast<std::uint8_t>(kind)};
}

template <class Integer>
StateKey key_of(EntryKind kind, Integer number) {
    StateKey key = key_of(kind);
    for (std::size_t i = sizeof(Integer); i-- > 0;) {
        key.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
    }
    return key;
}

std::string_view name_of(const StateKey& key) noexcept {
    if (key.empty()) return "state entry";
    switch (static_cast<EntryKind>(key.front())) {
        case EntryKind::account:
            return "account";
        case EntryKind::maturing_pay:
            return "maturing pay";
        case EntryKind::task:
            return "task record";
        case EntryKind::progress:
            return "task progress";
        case EntryKind::model:
            return "model";
        case EntryKind::round:
            return "pending round";
        case EntryKind::round_delta:
            return "pending round's delta";
        case EntryKind::totals:
            return "totals";
    }
    return "state entry";
}

}  // namespace

StateKey account_key(const Address& owner) {
    StateKey key = key_of(EntryKind::account);
    const Bytes name = encode(owner);
    key.insert(key.end(), name.begin(), name.end());
    return key;
}

StateKey maturing_pay_key(std::uint64_t height) {
    return key_of(EntryKind::maturing_pay, height);
}
StateKey task_key(std::uint32_t task) {
    return key_of(EntryKind::task, task);
}
StateKey progress_key(std::uint32_t task) {
    return key_of(EntryKind::progress, task);
}
StateKey model_key(std::uint32_t task) {
    return key_of(EntryKind::model, task);
}
StateKey round_key(std::uint32_t task) {
    return key_of(EntryKind::round, task);
}
StateKey round_delta_key(std::uint32_t task) {
    return key_of(EntryKind::round_delta, task);
}
StateKey totals_key() {
    return key_of(EntryKind::totals);
}

Bytes encode_parameters(std::span<const std::int32_t> parameters) {
    Bytes bytes(parameters.size() * 4);
    std::size_t at = 0;
    for (const std::int32_t parameter : parameters) {
        const auto bits = std::bit_cast<std::uint32_t>(parameter);
        for (unsigned i = 0; i < 4; ++i) bytes[at++] = static_cast<std::uint8_t>(bits >> (8 * i));
    }
    return bytes;
}

std::optional<std::vector<std::int32_t>> decode_parameters(ByteSpan bytes) {
    if (bytes.size() % 4 != 0) return std::nullopt;
    std::vector<std::int32_t> parameters(bytes.size() / 4);
    std::size_t at = 0;
    for (std::int32_t& parameter : parameters) {
        std::uint32_t bits = 0;
        for (unsigned i = 0; i < 4; ++i) bits |= std::uint32_t{bytes[at++]} << (8 * i);
        parameter = std::bit_cast<std::int32_t>(bits);
    }
    return parameters;
}

Result<std::vector<std::int32_t>, StoreError> require_parameters(const StateView& view,
                                                                 const StateKey& key) {
    TRY_ASSIGN(const StateValue bytes, view.get(key));
    if (!bytes) return fail(bad_entry(key, "it is missing"));
    auto parameters = decode_parameters(*bytes);
    if (!parameters) return fail(bad_entry(key, "it is no whole number of parameters"));
    return *std::move(parameters);
}

StoreError bad_entry(const StateKey& key, std::string_view why) {
    return {StoreFault::corrupt,
            "stored " + std::string(name_of(key)) + " (state key " + to_hex(key) +
                ") is damaged: " + std::string(why) +
                "; restore the data directory from a copy, or delete it and let the chain be "
                "fetched again"};
}

}  // namespace gradient::chain
