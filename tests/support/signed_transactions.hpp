#pragma once

#include "chain/crypto/key.hpp"
#include "chain/types/data.hpp"
#include "chain/types/transaction.hpp"
#include "chain/work/task_model.hpp"
#include "model/text/text_dataset.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace gradient::test {

/// Key number `number` of a test.
inline chain::SecretKey numbered_key(std::uint32_t number) {
    std::array<std::uint8_t, 32> seed{};
    for (std::size_t i = 0; i < 4; ++i) seed[i] = static_cast<std::uint8_t>(number >> (8 * i));
    seed[31] = 0x5a;
    return chain::SecretKey::from_seed(seed);
}

/// Signs a transaction for the network with this genesis block.
inline void sign(chain::SignedTransaction& transaction, const chain::SecretKey& key,
                 const chain::Hash256& genesis) {
    transaction.signature = key.sign(chain::transaction_message(genesis, transaction));
}

/// Letters drawn at random: a text with as much substance as there can be.
inline chain::Bytes random_letters(std::size_t size, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    chain::Bytes text(size);
    for (std::uint8_t& byte : text) byte = static_cast<std::uint8_t>('a' + random() % 26);
    return text;
}

/// The cheapest shape that a text trains.
inline chain::AttentionShape cheapest_text_shape() {
    chain::AttentionShape shape = chain::from_model(model::TextDataset::default_config());
    shape.rows = 32;
    shape.batch = 1;
    shape.steps_per_unit = 1;
    return shape;
}

/// Ids of the chunks of some data, in order.
inline std::vector<chain::Hash256> chunk_ids(chain::ByteSpan data) {
    std::vector<chain::Hash256> ids;
    for (std::uint64_t i = 0; i < chain::chunk_count(data.size()); ++i) {
        ids.push_back(chain::chunk_id(chain::chunk_of(data, i)));
    }
    return ids;
}

}  // namespace gradient::test
