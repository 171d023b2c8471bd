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

StateKey key_of(EntryKind kind, const Hash256& hash) {
    StateKey key = key_of(kind);
    key.insert(key.end(), hash.bytes.begin(), hash.bytes.end());
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
        case EntryKind::pending_round:
            return "pending round";
        case EntryKind::totals:
            return "totals";
        case EntryKind::data_chunk:
            return "data chunk";
        case EntryKind::task_data:
            return "task data";
        case EntryKind::task_account:
            return "task account";
        case EntryKind::task_list:
            return "task list";
        case EntryKind::momentum:
            return "momentum";
        case EntryKind::reference:
            return "reference model";
        case EntryKind::history:
            return "settlement history";
        case EntryKind::late_list:
            return "late list";
        case EntryKind::round:
            return "round";
        case EntryKind::contribution:
            return "contribution";
        case EntryKind::late:
            return "late contribution";
        case EntryKind::archive:
            return "archived entry";
        case EntryKind::segment:
            return "included segment";
        case EntryKind::commitment:
            return "fraud commitment";
        case EntryKind::fraud_case:
            return "fraud case";
        case EntryKind::fraud_agenda:
            return "fraud agenda";
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
StateKey pending_round_key() {
    return key_of(EntryKind::pending_round);
}
StateKey totals_key() {
    return key_of(EntryKind::totals);
}
StateKey data_chunk_key(const Hash256& chunk) {
    return key_of(EntryKind::data_chunk, chunk);
}
StateKey task_data_key(std::uint32_t task) {
    return key_of(EntryKind::task_data, task);
}
StateKey task_account_key(std::uint32_t task) {
    return key_of(EntryKind::task_account, task);
}
StateKey task_list_key() {
    return key_of(EntryKind::task_list);
}
StateKey momentum_key(std::uint32_t task) {
    return key_of(EntryKind::momentum, task);
}
StateKey reference_key(std::uint32_t task) {
    return key_of(EntryKind::reference, task);
}
StateKey history_key(std::uint32_t task) {
    return key_of(EntryKind::history, task);
}
StateKey late_list_key(std::uint32_t task) {
    return key_of(EntryKind::late_list, task);
}
StateKey round_key(std::uint64_t round) {
    return key_of(EntryKind::round, round);
}
StateKey contribution_key(const Hash256& segment) {
    return key_of(EntryKind::contribution, segment);
}
StateKey late_key(const Hash256& segment) {
    return key_of(EntryKind::late, segment);
}
StateKey archive_key(std::uint64_t round, const StateKey& key) {
    StateKey archived = key_of(EntryKind::archive, round);
    archived.insert(archived.end(), key.begin(), key.end());
    return archived;
}
StateKey segment_key(const Hash256& segment) {
    return key_of(EntryKind::segment, segment);
}
StateKey commitment_key(std::uint64_t height, const Hash256& commitment) {
    StateKey key = key_of(EntryKind::commitment, height);
    key.insert(key.end(), commitment.bytes.begin(), commitment.bytes.end());
    return key;
}
StateKey fraud_case_key(const Hash256& subject) {
    return key_of(EntryKind::fraud_case, subject);
}
StateKey fraud_agenda_key(std::uint64_t height) {
    return key_of(EntryKind::fraud_agenda, height);
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
