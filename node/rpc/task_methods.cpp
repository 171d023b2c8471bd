#include "chain/consensus/genesis_fields.hpp"
#include "chain/state/entries.hpp"
#include "chain/work/task_model.hpp"
#include "node/rpc/service_methods.hpp"
#include "node/rpc/transaction_views.hpp"
#include "node/rpc/views.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace gradient::node {

namespace {

using chain::TaskStatus;

std::string_view status_name(TaskStatus status) {
    switch (status) {
        case TaskStatus::active:
            return "active";
        case TaskStatus::cancelled:
            return "cancelled";
        case TaskStatus::completed:
            return "completed";
        case TaskStatus::exhausted:
            return "exhausted";
        case TaskStatus::suspended:
            return "suspended";
    }
    return "unknown";
}

/// Everything that the state has of a task.
struct TaskEntries {
    chain::TaskRecord record;
    std::optional<chain::TaskAccount> account;  ///< the genesis task has none
    chain::TaskProgress progress;
};

std::optional<TaskEntries> read_task(const TransactionService& service, std::uint32_t task) {
    const auto& state = service.state();
    const auto record = require(chain::read_entry<chain::TaskRecord>(state, chain::task_key(task)));
    if (!record) return std::nullopt;
    return TaskEntries{
        *record,
        require(chain::read_entry<chain::TaskAccount>(state, chain::task_account_key(task))),
        require(chain::read_entry<chain::TaskProgress>(state, chain::progress_key(task)))
            .value_or(chain::TaskProgress{})};
}

void add_account(json::object& view, const chain::TaskAccount& account) {
    view["owner"] = address_text(account.owner);
    view["escrow"] = coins(account.escrow);
    view["paid"] = coins(account.paid);
    view["created_height"] = account.created_height;
    if (account.status == TaskStatus::active) return;
    view["ended_height"] = account.ended_height;
    view["refund_height"] = account.ended_height + chain::kRefundDelay;
}

json::object summary(const TaskEntries& task) {
    json::object view{
        {"task", task.record.id},
        {"kind", "attention"},
        {"status", status_name(task.account ? task.account->status : TaskStatus::active)},
        {"data_format", task.record.data_format == chain::DataFormat::text ? "text" : "matrices"},
        {"data_bytes", task.record.data_bytes},
        {"unit_budget", task.record.unit_budget},
        {"pay_per_hit", coins(task.record.pay_per_hit)},
        {"units_claimed", task.progress.units_claimed},
    };
    if (task.account) add_account(view, *task.account);
    return view;
}

struct ShapeWriter {
    json::object& view;
    void field(std::string_view name, std::int64_t value) const { view[name] = value; }
};

json::value show_task(const TransactionService& service, std::uint32_t id) {
    const auto task = read_task(service, id);
    if (!task) throw RpcError(RpcErrorCode::not_found, fmt::format("There is no task {}.", id));
    const auto& progress = task->progress;
    auto view = summary(*task);
    view["data_root"] = task->record.data_root.to_hex();
    view["parameters"] = model::parameter_count(chain::to_model(task->record.shape));
    view["unit_work"] = chain::unit_work(task->record);
    ShapeWriter writer{view};
    chain::visit_model(writer, task->record.shape);
    view["model_digest"] = progress.model_digest.to_hex();
    view["held_out"] = score_view(service.held_out(id));
    view["settled_rounds"] = progress.settled_rounds;
    view["skipped_rounds"] = progress.skipped_rounds;
    view["units_entered"] = progress.units_entered;
    view["hits"] = progress.hits;
    view["segments"] = progress.segments;
    view["last_height"] = progress.last_height;
    return view;
}

// The genesis task, then those under training or about to be refunded, or the newest ones of all.
json::value list_tasks(const TransactionService& service, bool all) {
    const auto list =
        require(chain::read_entry<chain::TaskList>(service.state(), chain::task_list_key()))
            .value_or(chain::TaskList{});
    std::vector<std::uint32_t> ids{chain::kGenesisTask};
    if (all) {
        const std::uint64_t first = list.next_id > kMaxTaskCount ? list.next_id - kMaxTaskCount : 1;
        for (std::uint64_t id = first; id < list.next_id; ++id)
            ids.push_back(static_cast<std::uint32_t>(id));
    } else {
        ids.insert(ids.end(), list.active.begin(), list.active.end());
        const auto ending = std::min<std::size_t>(list.ending.size(), kMaxTaskCount);
        ids.insert(ids.end(), list.ending.end() - static_cast<std::ptrdiff_t>(ending),
                   list.ending.end());
        std::sort(ids.begin(), ids.end());
    }
    json::array tasks;
    for (const std::uint32_t id : ids) {
        if (const auto task = read_task(service, id)) tasks.push_back(summary(*task));
    }
    return json::object{{"height", service.height()}, {"tasks", std::move(tasks)}};
}

Schema summary_schema() {
    return schema::object({
        {"task", schema::whole(), "its number"},
        {"kind", schema::text()},
        {"status", schema::one_of({"active", "cancelled", "completed", "exhausted", "suspended"})},
        {"data_format", schema::one_of({"text", "matrices"})},
        {"data_bytes", schema::whole()},
        {"unit_budget", schema::whole(), "units that are trained at most"},
        {"pay_per_hit", schema::coins()},
        {"units_claimed", schema::whole()},
        schema::sometimes("owner", schema::address(), "of all but the genesis task"),
        schema::sometimes("escrow", schema::coins(), "that is left"),
        schema::sometimes("paid", schema::coins()),
        schema::sometimes("created_height", schema::whole()),
        schema::sometimes("ended_height", schema::whole()),
        schema::sometimes("refund_height", schema::whole(), "at which the owner has the rest"),
    });
}

struct ShapeDescriber {
    std::vector<schema::Field>& fields;
    void field(std::string_view name, std::int64_t) const {
        fields.push_back({name, schema::number()});
    }
};

Schema task_schema() {
    std::vector<schema::Field> fields{
        {"data_root", schema::hash()},
        {"parameters", schema::whole(), "their number"},
        {"unit_work", schema::whole(), "floating-point operations of a unit"},
        {"model_digest", schema::hash()},
        {"held_out", score_schema()},
        {"settled_rounds", schema::whole()},
        {"skipped_rounds", schema::whole()},
        {"units_entered", schema::whole()},
        {"hits", schema::whole()},
        {"segments", schema::whole()},
        {"last_height", schema::whole()},
    };
    chain::TaskRecord record;
    ShapeDescriber describer{fields};
    chain::visit_model(describer, record.shape);
    return schema::merged(summary_schema(), schema::object(fields));
}

}  // namespace

void add_task_methods(RpcDispatcher& dispatcher, TransactionService& service) {
    dispatcher.add({
        .name = "task_list",
        .summary = "The genesis task, tasks under training, and tasks that wait for their refund.",
        .permission = RpcPermission::read,
        .parameters = {optional("all", schema::boolean(),
                                "the newest 500 tasks, whatever became of them", false)},
        .result = schema::object(
            {{"height", schema::whole()}, {"tasks", schema::list(summary_schema())}}),
        .call = [&service](RpcParams params) -> Task<json::value> {
            TransactionService::Query query = [&service, all = params.boolean("all")] {
                return list_tasks(service, all);
            };
            co_return co_await service.on_strand(std::move(query));
        },
    });
    dispatcher.add({
        .name = "task_show",
        .summary = "A task: what it trains on, who pays for it, and how far it has come.",
        .permission = RpcPermission::read,
        .parameters = {task_parameter()},
        .result = task_schema(),
        .errors = {RpcErrorCode::not_found},
        .call = [&service](RpcParams params) -> Task<json::value> {
            TransactionService::Query query = [&service, task = task_param(params)] {
                return show_task(service, task);
            };
            co_return co_await service.on_strand(std::move(query));
        },
    });
}

}  // namespace gradient::node
