#include "tools/cli/data_plan.hpp"

#include "chain/types/data.hpp"
#include "model/matrix/matrix_dataset.hpp"
#include "model/text/text_dataset.hpp"
#include "node/setup/failure.hpp"
#include "tools/cli/text_files.hpp"

#include <fmt/format.h>

#include <utility>

namespace gradient::cli {

namespace {

template <class T>
T accepted(std::string_view what, tl::expected<T, model::TaskError> result) {
    if (!result) {
        throw node::Failure(
            node::ExitCode::chain_spec,
            fmt::format("Cannot use the {}: {}", what, model::describe(result.error())));
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace

chain::Bytes DataPlan::chunk(std::size_t index) const {
    const auto span = chain::chunk_of(bytes, index);
    return {span.begin(), span.end()};
}

DataPlan plan_data(chain::DataFormat format, chain::Bytes bytes,
                   std::unique_ptr<const model::Dataset> dataset) {
    DataPlan plan;
    plan.format = format;
    plan.bytes = std::move(bytes);
    plan.root = chain::data_root(plan.bytes);
    plan.dataset = std::move(dataset);
    for (std::uint64_t i = 0; i < chain::chunk_count(plan.bytes.size()); ++i)
        plan.chunks.push_back(chain::chunk_id(chain::chunk_of(plan.bytes, i)));
    return plan;
}

DataPlan plan_text(const std::vector<std::filesystem::path>& files) {
    auto bytes = joined_texts(files);
    auto text = accepted("text", model::TextDataset::create(bytes));
    accepted("text", text.check_substance());
    return plan_data(chain::DataFormat::text, std::move(bytes),
                     std::make_unique<const model::TextDataset>(std::move(text)));
}

DataPlan plan_matrices(const data::MatrixFiles& files) {
    auto matrices = data::read_matrices(files);
    accepted("matrices", matrices.check_substance());
    auto bytes = matrices.encode();
    return plan_data(kMatrixFormat, std::move(bytes),
                     std::make_unique<const model::MatrixDataset>(std::move(matrices)));
}

}  // namespace gradient::cli
