#include "node/rpc/client.hpp"
#include "node/setup/failure.hpp"
#include "node/setup/files.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/data_commands.hpp"
#include "tools/cli/figures_text.hpp"
#include "tools/cli/publishing.hpp"
#include "tools/cli/sender.hpp"
#include "tools/cli/task_plan.hpp"
#include "tools/cli/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace gradient::cli {

namespace {

namespace json = boost::json;

struct CreateOptions {
    SenderOptions sender;
    std::vector<std::filesystem::path> texts;
    MatrixOptions matrices;
    std::optional<std::string> config;
    std::map<std::string, std::optional<std::int64_t>> members;  // of the shape
    std::uint64_t units = 0;
    std::string pay;
    std::string escrow;
};

ShapeChoices choices_of(const CreateOptions& options) {
    ShapeChoices choices;
    if (options.config) {
        constexpr std::size_t kMaxConfigBytes = 65'536;
        choices = parse_shape(
            options.config->starts_with('{')
                ? *options.config
                : node::read_file(*options.config, kMaxConfigBytes, node::ExitCode::usage));
    }
    for (const auto& [name, value] : options.members) {
        if (value) choices[name] = *value;
    }
    return choices;
}

DataPlan read_data(const CreateOptions& options) {
    const auto& files = options.matrices.files;
    const bool any = std::any_of(files.begin(), files.end(), [](const auto& f) { return f; });
    if (any != options.texts.empty()) {
        throw node::Failure(node::ExitCode::usage,
                            "Name what the task trains on: either --text, or --a1, --a2, --a3 and "
                            "--b.");
    }
    return any ? read_matrix_options(options.matrices) : plan_text(options.texts);
}

TaskTerms terms_of(const CreateOptions& options) {
    return {options.units, parse_coins("--pay", options.pay),
            parse_coins("--escrow", options.escrow)};
}

void run_create(const CreateOptions& options, const CommonOptions& common) {
    const TaskTerms terms = terms_of(options);
    const ShapeChoices choices = choices_of(options);
    const DataPlan data = read_data(options);
    const auto shape = make_shape(data, choices);
    const chain::Action creation = make_creation(data, shape, terms);
    Sender sender(common, options.sender);
    const Published published = publish_data(common, sender, data);
    show_fee(common, sender.fee_of(creation));
    const Sent sent = sender.send(creation);
    const auto included = wait_for_transaction(sender.client(), sent.id, 1);
    json::object result{{"task", included.at("task")},
                        {"id", sent.id.to_hex()},
                        {"height", included.at("height")},
                        {"owner", sender.address()},
                        {"fee", sent.fee.to_string()},
                        {"data_root", data.root.to_hex()},
                        {"data_fees", published.fees.to_string()},
                        {"shape", to_json(shape)}};
    print_result(
        common, result,
        fmt::format("id   {}\ntask {}\n", sent.id.to_hex(), json::serialize(included.at("task"))));
}

void add_create(CLI::App& task, const CommonOptions& common) {
    auto options = std::make_shared<CreateOptions>();
    CLI::App* const create = task.add_subcommand(
        "create", "Have the network train a model of your data, paid from an escrow");
    create->add_option("--text", options->texts, "Text files, joined in this order")
        ->type_name("FILE ...");
    add_matrix_files(*create, options->matrices);
    add_matrix_scales(*create, options->matrices);
    create->add_option("--units", options->units, "Units to train")
        ->required()
        ->check(CLI::PositiveNumber);
    create->add_option("--pay", options->pay, "Coins for each hit, beside the emission")
        ->required()
        ->type_name("COINS");
    create->add_option("--escrow", options->escrow, "Coins to pay hits from; the rest comes back")
        ->required()
        ->type_name("COINS");
    create
        ->add_option("--config", options->config,
                     "Shape and hyper-parameters: a JSON object, or a file with one")
        ->type_name("JSON|FILE")
        ->group("Model");
    for (const auto& name : shape_names()) {
        if (is_width(name)) continue;  // the data has them
        std::string option = "--" + name;
        std::replace(option.begin(), option.end(), '_', '-');
        create->add_option(option, options->members[name], "See model/SPEC.md section 2")
            ->group("Model");
    }
    add_sender_options(*create, options->sender);
    create->callback([options, &common] { run_create(*options, common); });
}

// Sends an action about a task and tells the transaction's id.
void run_action(const chain::Action& action, const SenderOptions& options,
                const CommonOptions& common) {
    Sender sender(common, options);
    show_fee(common, sender.fee_of(action));
    const Sent sent = sender.send(action);
    print_result(
        common,
        {{"id", sent.id.to_hex()}, {"from", sender.address()}, {"fee", sent.fee.to_string()}},
        fmt::format("id   {}\n", sent.id.to_hex()));
}

struct TaskOptions {
    SenderOptions sender;
    std::uint32_t task = 0;
    std::string amount;
};

void add_fund_and_cancel(CLI::App& task, const CommonOptions& common) {
    auto fund_options = std::make_shared<TaskOptions>();
    CLI::App* const fund = task.add_subcommand("fund", "Add to a task's escrow");
    fund->add_option("task", fund_options->task, "Number of the task")->required();
    fund->add_option("--amount", fund_options->amount, "How much")->required()->type_name("COINS");
    add_sender_options(*fund, fund_options->sender);
    fund->callback([fund_options, &common] {
        const auto amount = parse_coins("--amount", fund_options->amount);
        run_action(chain::FundTask{fund_options->task, amount}, fund_options->sender, common);
    });

    auto cancel_options = std::make_shared<TaskOptions>();
    CLI::App* const cancel =
        task.add_subcommand("cancel", "End a task of yours; what is left of its escrow comes back");
    cancel->add_option("task", cancel_options->task, "Number of the task")->required();
    add_sender_options(*cancel, cancel_options->sender);
    cancel->callback([cancel_options, &common] {
        run_action(chain::CancelTask{cancel_options->task}, cancel_options->sender, common);
    });
}

std::string tasks_text(const json::array& tasks) {
    Table table({"task", "status", "data", "bytes", "units", "budget", "pay per hit", "escrow"});
    const auto text_or_dash = [](const json::object& task, std::string_view name) {
        const auto* const value = task.if_contains(name);
        return value == nullptr ? std::string("-") : std::string(value->as_string());
    };
    for (const auto& value : tasks) {
        const auto& task = value.as_object();
        const std::uint64_t budget = number(task.at("unit_budget"));
        table.add({std::to_string(number(task.at("task"))), text_or_dash(task, "status"),
                   text_or_dash(task, "data_format"), grouped(number(task.at("data_bytes"))),
                   grouped(number(task.at("units_claimed"))),
                   budget == 0 ? "no end" : grouped(budget), text_or_dash(task, "pay_per_hit"),
                   text_or_dash(task, "escrow")});
    }
    return table.text();
}

void add_views(CLI::App& task, const CommonOptions& common) {
    auto all = std::make_shared<bool>(false);
    CLI::App* const list = task.add_subcommand("list", "Tasks under training");
    list->add_flag("--all", *all, "Ended ones too");
    list->callback([all, &common] {
        const auto result =
            node::RpcClient(common.data_directory).call("task_list", {{"all", *all}});
        print_result(common, result.as_object(), tasks_text(result.at("tasks").as_array()));
    });

    auto wanted = std::make_shared<std::uint64_t>(0);
    CLI::App* const show = task.add_subcommand("show", "Show one task");
    show->add_option("task", *wanted, "Number of the task")->capture_default_str();
    show->callback([wanted, &common] {
        const auto result =
            node::RpcClient(common.data_directory).call("task_show", {{"task", *wanted}});
        print_result(common, result.as_object(), object_text(result.as_object()));
    });
}

}  // namespace

void add_task_commands(CLI::App& app, const CommonOptions& common) {
    CLI::App* const task = app.add_subcommand("task", "Models under training, and your own ones");
    task->require_subcommand(1);
    add_create(*task, common);
    add_fund_and_cancel(*task, common);
    add_views(*task, common);
}

}  // namespace gradient::cli
