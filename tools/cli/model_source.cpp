#include "tools/cli/model_source.hpp"

#include "chain/consensus/genesis_spec.hpp"
#include "chain/ledger.hpp"
#include "chain/state/entries.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/task_model.hpp"
#include "node/rpc/client.hpp"
#include "node/rpc/cookie.hpp"
#include "node/setup/data_directory.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/json.hpp>

#include <utility>

namespace gradient::cli {

namespace {

node::Failure damaged(const std::string& what) {
    return {node::ExitCode::network, "The node's answer is damaged: " + what + "."};
}

chain::ChainSpec stored_spec(const std::filesystem::path& data_directory) {
    auto spec = chain::load_chain_spec((data_directory / "chain.json").string());
    if (!spec) throw node::Failure(node::ExitCode::data_directory, spec.error().message);
    return *std::move(spec);
}

void load_from_node(ModelSource& source, const std::filesystem::path& data_directory) {
    const auto answer = node::RpcClient(data_directory).call("model_parameters");
    const auto bytes = node::base64_decode(answer.at("parameters").as_string());
    auto parameters = chain::decode_parameters(chain::as_bytes(bytes));
    if (!parameters) throw damaged("the parameters are cut");
    source.height = answer.at("height").to_number<std::uint64_t>();
    source.tip = std::string(answer.at("tip").as_string());
    source.digest = std::string(answer.at("digest").as_string());
    source.parameters = *std::move(parameters);
    if (chain::model_digest(source.parameters).to_hex() != source.digest)
        throw damaged("the digest differs");
}

void load_from_files(ModelSource& source, const node::DataDirectory& directory,
                     chain::ChainSpec spec) {
    auto network = chain::make_network(std::move(spec));
    if (!network) throw node::Failure(node::ExitCode::data_directory, network.error().message);
    auto store =
        chain::LevelDbStore::open(directory.database().string(), chain::OpenMode::must_exist);
    if (!store) throw node::store_failure(store.error());
    const auto ledger = chain::Ledger::open(*std::move(network), *std::move(store));
    if (!ledger) throw node::store_failure(ledger.error());
    const auto& tip = (*ledger)->tip();
    source.height = tip->height();
    source.tip = tip->id().to_hex();
    source.parameters = *tip->start().parameters;
    source.digest = chain::model_digest(source.parameters).to_hex();
}

// The directory if no node runs on it.
std::optional<node::DataDirectory> lock_unless_in_use(const std::filesystem::path& data_directory) {
    if (node::path_exists(node::endpoint_file(data_directory))) {
        try {
            return node::DataDirectory::open_existing(data_directory);
        } catch (const node::Failure&) {
            return std::nullopt;  // the node's own answer tells more
        }
    }
    return node::DataDirectory::open_existing(data_directory);
}

}  // namespace

model::Trainer ModelSource::make_trainer() const {
    auto trainer = model::Trainer::create(config, *text);
    if (!trainer)
        throw node::Failure(node::ExitCode::failure, std::string(model::describe(trainer.error())));
    return *std::move(trainer);
}

ModelSource load_model(const std::filesystem::path& data_directory) {
    ModelSource source;
    const auto offline = lock_unless_in_use(data_directory);
    auto spec = stored_spec(data_directory);
    source.config = chain::to_model(spec.model);
    auto text = model::TextDataset::create(spec.text);
    if (!text)
        throw node::Failure(node::ExitCode::data_directory,
                            std::string(model::describe(text.error())));
    source.text = std::make_unique<const model::TextDataset>(*std::move(text));
    if (offline) {
        load_from_files(source, *offline, std::move(spec));
    } else {
        load_from_node(source, data_directory);
    }
    return source;
}

}  // namespace gradient::cli
