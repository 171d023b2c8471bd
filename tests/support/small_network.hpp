#pragma once

#include "chain/base/check.hpp"
#include "chain/network.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/task_model.hpp"
#include "model/matrix/matrix_dataset.hpp"
#include "tests/support/test_network.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace gradient::test {

/// Four small random matrices, encoded: data with substance for the smallest model.
inline chain::Bytes small_matrices(std::uint64_t seed = 1) {
    constexpr model::MatrixShape kShape{
        .rows = 205, .columns = 16, .value_columns = 16, .output_columns = 16};
    Lcg lcg(seed);
    const auto draw = [&] {
        std::vector<std::int16_t> values(std::size_t{kShape.rows} * 16);
        std::ranges::generate(values, [&] { return static_cast<std::int16_t>(lcg.in(-700, 700)); });
        return values;
    };
    const auto a1 = draw();
    const auto a2 = draw();
    const auto a3 = draw();
    const auto b = draw();
    const auto data = model::MatrixDataset::create(kShape, a1, a2, a3, b);
    CHECK(data && data->check_substance());
    return data->encode();
}

/// A network like tiny_network() whose genesis task is the smallest there is, of 512 parameters:
/// its state is small enough to build thousands of ledgers. No chain spec makes it.
inline std::shared_ptr<const chain::Network> small_network(unsigned win_bits = 1) {
    auto network = std::make_shared<chain::Network>();
    network->spec = tiny_spec();
    network->spec.name = "small";
    const chain::U256 work(model::unit_work(tiny_config()));
    network->spec.params.anchor.bits =
        chain::to_compact(chain::divide(chain::U256(1) << (256 - win_bits), work).quotient);

    chain::TaskRecord record = chain::genesis_task(network->spec);
    record.shape = chain::from_model(tiny_config());
    record.data_format = chain::DataFormat::matrices;
    auto task = chain::make_task_runtime(record, small_matrices());
    CHECK(task);
    network->task = *std::move(task);

    const auto theta = chain::initial_parameters(record);
    chain::TaskProgress progress;
    progress.model_digest = chain::model_digest(theta);
    chain::Genesis genesis = chain::make_genesis(network->spec);
    const chain::EmptyState nothing;
    chain::State state(nothing);
    for (const chain::StateWrite& write : genesis.state.writes) state.set(write.key, write.value);
    state.put(chain::task_key(record.id), record);
    state.put(chain::progress_key(record.id), progress);
    state.set(chain::model_key(record.id),
              std::make_shared<const chain::Bytes>(chain::encode_parameters(theta)));
    genesis.state = *state.diff();
    const chain::EmptyTree no_tree;
    chain::StateTree tree(no_tree);
    CHECK(tree.apply(genesis.state));
    genesis.state_root = tree.root().value();
    genesis.header.tmpl.state_root = genesis.state_root;
    genesis.id = chain::header_id(genesis.header);
    network->genesis = std::move(genesis);
    return network;
}

}  // namespace gradient::test
