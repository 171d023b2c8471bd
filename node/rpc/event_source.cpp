#include "node/rpc/event_source.hpp"

#include "chain/pool/mempool.hpp"
#include "node/rpc/transaction_views.hpp"
#include "node/rpc/views.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/post.hpp>
#include <boost/json.hpp>

#include <utility>
#include <variant>
#include <vector>

namespace gradient::node {

namespace {

json::array hex_list(const std::vector<chain::Hash256>& ids) {
    json::array list;
    for (const auto& id : ids) list.emplace_back(id.to_hex());
    return list;
}

json::object lane_event(std::string_view event, const chain::Template& tmpl, std::uint32_t units) {
    return {{"event", event},
            {"height", tmpl.height},
            {"task", tmpl.task},
            {"lane", tmpl.lane},
            {"units", units}};
}

// An event's own fields behind those that all have.
Schema with_topic(Topic topic, std::initializer_list<std::string_view> events,
                  std::vector<schema::Field> fields) {
    const auto common = schema::object(
        {{"topic", schema::one_of({topic_name(topic)})}, {"event", schema::one_of(events)}});
    return schema::merged(common, schema::object(fields));
}

}  // namespace

void EventSource::tip_changed(const chain::TipChange& change) {
    const chain::ParentState& tip = *change.tip;
    if (hub_.is_wanted(Topic::blocks)) {
        hub_.publish(Topic::blocks,
                     {{"event", change.undone.empty() ? "tip" : "reorganisation"},
                      {"undone", hex_list(change.undone)},
                      {"redone", hex_list(change.redone)},
                      {"block", block_view(ledger_, tip.index(), tip.id(), change.block.get())}});
    }
    if (!hub_.is_wanted(Topic::tasks)) return;
    hub_.publish(Topic::tasks, {{"event", "loss"},
                                {"task", tip.index().header.tmpl.task},
                                {"height", tip.height()},
                                {"block", tip.id().to_hex()},
                                {"units", tip.index().header.units},
                                {"loss", optional_view(ledger_.loss_of(tip.id()))}});
    unscored_.push_back({tip.height(), tip.id()});
    if (unscored_.size() > kMaxUnscored) unscored_.pop_front();
}

// Tips that were overtaken before they could be scored never are.
void EventSource::scored() {
    for (auto each = unscored_.begin(); each != unscored_.end();) {
        const auto score = ledger_.evaluator().score_of(each->height, each->id);
        if (!score && !ledger_.evaluator().settled(each->height)) {
            ++each;
            continue;
        }
        if (score) {
            hub_.publish(Topic::tasks, {{"event", "held_out"},
                                        {"task", ledger_.network().task->record.id},
                                        {"height", each->height},
                                        {"block", each->id.to_hex()},
                                        {"held_out", score_view(score)}});
        }
        each = unscored_.erase(each);
    }
}

void EventSource::transaction_kept(const chain::Hash256& id) {
    if (!hub_.is_wanted(Topic::transactions)) return;
    const auto status = ledger_.mempool().status(id);
    const auto* const waiting = std::get_if<chain::Waiting>(&status);
    if (waiting == nullptr) return;
    hub_.publish(Topic::transactions, {{"event", "pooled"},
                                       {"id", id.to_hex()},
                                       {"transaction", transaction_view(*waiting->transaction)}});
}

void EventSource::peer_changed(const PeerChange& change) {
    hub_.publish(Topic::peers,
                 {{"event", change.kind == PeerChange::Kind::joined ? "joined" : "left"},
                  {"peer", number_of(change.peer)},
                  {"node", change.node.to_hex()},
                  {"address", change.address}});
}

void EventSource::hit(const chain::Segment& segment) {
    publish_later(Topic::mining, lane_event("hit", segment.tmpl, segment.body.units()));
}

void EventSource::won(const chain::Block& block) {
    auto event = lane_event("win", block.header.tmpl, block.header.units);
    event["block"] = chain::header_id(block.header).to_hex();
    publish_later(Topic::mining, std::move(event));
}

void EventSource::publish_later(Topic topic, json::object event) {
    boost::asio::post(ledger_.strand(), [this, topic, its_event = std::move(event)]() mutable {
        hub_.publish(topic, std::move(its_event));
    });
}

Schema event_schema(Topic topic) {
    using schema::sometimes;
    switch (topic) {
        case Topic::blocks:
            return with_topic(
                topic, {"tip", "reorganisation"},
                {{"undone", schema::list(schema::hash()), "from the old tip down"},
                 {"redone", schema::list(schema::hash()), "upward; the last one is the new tip"},
                 {"block", block_schema(), "the new tip"}});
        case Topic::tasks:
            return with_topic(
                topic, {"loss", "held_out"},
                {{"task", schema::whole()},
                 {"height", schema::whole()},
                 {"block", schema::hash()},
                 sometimes("units", schema::whole(), "of loss: that the block adds"),
                 sometimes("loss", schema::nullable(schema::number()),
                           "of loss: squared error a row of the opened units"),
                 sometimes("held_out", score_schema(), "of held_out: after the block")});
        case Topic::mining:
            return with_topic(topic, {"hit", "win"},
                              {{"height", schema::whole()},
                               {"task", schema::whole()},
                               {"lane", schema::whole()},
                               {"units", schema::whole(), "of the lane's segment"},
                               sometimes("block", schema::hash(), "of win")});
        case Topic::transactions:
            return with_topic(topic, {"pooled"},
                              {{"id", schema::hash()}, {"transaction", transaction_schema()}});
        case Topic::peers:
            return with_topic(topic, {"joined", "left"},
                              {{"peer", schema::whole(), "its number in this run"},
                               {"node", schema::hash()},
                               {"address", schema::text()}});
    }
    return {};
}

std::string_view topic_summary(Topic topic) noexcept {
    switch (topic) {
        case Topic::blocks:
            return "New tips, and changes of the branch.";
        case Topic::tasks:
            return "A point of a loss curve for each new tip, and of the held-out curve.";
        case Topic::mining:
            return "Lanes of this node that end with a hit, and blocks that they win; whether the "
                   "chain takes them is told under blocks.";
        case Topic::transactions:
            return "Transactions that the pool has taken.";
        case Topic::peers:
            return "Peers that have joined or left.";
    }
    return "";
}

}  // namespace gradient::node
