#include "chain/state/entries.hpp"
#include "node/rpc/block_search.hpp"
#include "node/rpc/service_methods.hpp"
#include "node/rpc/transaction_views.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <map>
#include <optional>

namespace gradient::node {

namespace {

using chain::Address;
using chain::Amount;

Amount sum(Amount a, Amount b) {
    return chain::checked_add(a, b).value_or(chain::kMaxAmount);
}

// What the address is paid at the height at which `height` matures, if anything.
std::optional<Amount> pay_maturing_at(const TransactionService& service, const Address& address,
                                      std::uint64_t height) {
    const auto entry = require(
        chain::read_entry<chain::MaturingPay>(service.state(), chain::maturing_pay_key(height)));
    if (!entry) return std::nullopt;
    std::optional<Amount> total;
    for (const chain::Pay& pay : entry->pays) {
        if (pay.payee == address) total = sum(total.value_or(Amount()), pay.amount);
    }
    return total;
}

json::value show_account(const TransactionService& service, const Address& address) {
    const auto account =
        require(chain::read_entry<chain::Account>(service.state(), chain::account_key(address)))
            .value_or(chain::Account{});
    const std::uint64_t tip = service.height();
    json::array maturing;
    Amount maturing_total;
    for (std::uint64_t height = tip + 1; height <= tip + service.params().maturity_blocks;
         ++height) {
        const auto pay = pay_maturing_at(service, address, height);
        if (!pay) continue;
        maturing_total = sum(maturing_total, *pay);
        maturing.push_back({{"height", height}, {"amount", coins(*pay)}});
    }
    json::array pooled;
    std::uint64_t next_nonce = account.nonce;
    for (const auto& waiting : service.pooled_of(address)) {
        if (waiting.transaction->nonce == next_nonce) ++next_nonce;
        pooled.emplace_back(pooled_view(waiting));
    }
    return json::object{
        {"address", address_text(address)},  {"height", tip},
        {"balance", coins(account.balance)}, {"nonce", account.nonce},
        {"next_nonce", next_nonce},          {"maturing_total", coins(maturing_total)},
        {"maturing", std::move(maturing)},   {"pooled", std::move(pooled)},
    };
}

json::value show_supply(const TransactionService& service) {
    const auto totals =
        require(chain::read_entry<chain::Totals>(service.state(), chain::totals_key()))
            .value_or(chain::Totals{});
    return json::object{{"height", service.height()},
                        {"minted", coins(totals.minted)},
                        {"burnt", coins(totals.burnt)}};
}

bool concerns(const chain::SignedTransaction& transaction, const Address& address) {
    if (chain::address_of(transaction.sender) == address) return true;
    const auto* const transfer = std::get_if<chain::Transfer>(&transaction.action);
    return transfer != nullptr && transfer->to == address;
}

/// Entries of an account's history, newest first.
class History {
  public:
    History(const TransactionService& service, const Address& address, std::uint64_t count)
        : service_(service), address_(address), count_(count) {}

    // Adds what a block holds; whether that is enough.
    bool add_block(std::uint64_t height, const chain::Header& header) {
        lowest_ = height;
        const json::object place{{"height", height}, {"time_ms", header.tmpl.time_ms}};
        add_pay(height, header, place);
        if (!has_no_transactions(header)) add_transactions(height, place);
        return entries_.size() >= count_;
    }

    [[nodiscard]] json::value view() && {
        return json::object{{"address", address_text(address_)},
                            {"lowest_height", lowest_},
                            {"entries", std::move(entries_)}};
    }

  private:
    void add_pay(std::uint64_t height, const chain::Header& header, const json::object& place) {
        const std::uint64_t matures = height + service_.params().maturity_blocks;
        std::optional<Amount> pay;
        if (matures > service_.height()) pay = pay_maturing_at(service_, address_, matures);
        const bool mined = chain::address_of(header.tmpl.miner) == address_;
        if (!pay && !mined) return;
        auto entry = place;
        entry["kind"] = "pay";
        entry["mined_block"] = mined;
        entry["amount"] = pay ? json::value(coins(*pay)) : json::value(nullptr);
        entry["matures"] = matures;
        entries_.push_back(std::move(entry));
    }

    void add_transactions(std::uint64_t height, const json::object& place) {
        const auto block = service_.block_at(height);
        if (!block) return;
        for (auto each = block->transactions.rbegin(); each != block->transactions.rend(); ++each) {
            const auto* const signed_one = std::get_if<chain::SignedTransaction>(&each->content);
            if (signed_one == nullptr || !concerns(*signed_one, address_)) continue;
            auto entry = transaction_view(*signed_one);
            entry["id"] = chain::transaction_id(*signed_one).to_hex();
            entry.insert(place.begin(), place.end());
            entries_.push_back(std::move(entry));
        }
    }

    const TransactionService& service_;
    Address address_;
    std::uint64_t count_;
    std::uint64_t lowest_ = 0;
    json::array entries_;
};

Task<json::value> show_history(TransactionService& service, Address address, std::uint64_t count) {
    History history(service, address, count);
    BlockVisitor visitor = [&history](std::uint64_t height, const chain::Header& header) {
        return history.add_block(height, header);
    };
    co_await search_blocks(service, 1, std::move(visitor));
    co_return std::move(history).view();
}

Schema account_schema() {
    return schema::object({
        {"address", schema::address()},
        {"height", schema::whole(), "of the block after which all this holds"},
        {"balance", schema::coins(), "that can be spent"},
        {"nonce", schema::whole(), "of its next transaction that a block includes"},
        {"next_nonce", schema::whole(), "of a transaction that is signed now"},
        {"maturing_total", schema::coins(), "pay that can't be spent yet"},
        {"maturing",
         schema::list(schema::object({{"height", schema::whole(), "from which it can be spent"},
                                      {"amount", schema::coins()}}))},
        {"pooled", schema::list(pooled_schema()), "its transactions that wait"},
    });
}

Schema history_schema() {
    auto entry = schema::merged(
        transaction_schema(),
        schema::object({
            {"kind", schema::text(), "as of a transaction, or pay"},
            {"height", schema::whole()},
            {"time_ms", schema::whole(), "of the block, milliseconds since 1970"},
            schema::sometimes("id", schema::hash(), "of the transaction"),
            schema::sometimes("amount", schema::nullable(schema::coins()),
                              "null: of pay that has matured"),
            schema::sometimes("mined_block", schema::boolean(),
                              "of pay: whether the address won the block"),
            schema::sometimes("matures", schema::whole(), "of pay: from which height"),
        }));
    return schema::object({{"address", schema::address()},
                           {"lowest_height", schema::whole(), "of the blocks looked at"},
                           {"entries", schema::list(std::move(entry)), "newest first"}});
}

Schema supply_schema() {
    return schema::object({{"height", schema::whole()},
                           {"minted", schema::coins(), "ever, mature or not"},
                           {"burnt", schema::coins()}});
}

}  // namespace

void add_account_methods(RpcDispatcher& dispatcher, TransactionService& service) {
    dispatcher.add({
        .name = "account_show",
        .summary = "Balance, nonce, pay that has not matured, and transactions in the pool.",
        .permission = RpcPermission::read,
        .parameters = {address_parameter()},
        .result = account_schema(),
        .call = [&service](RpcParams params) -> Task<json::value> {
            TransactionService::Query query = [&service, wanted = address_param(params)] {
                return show_account(service, wanted);
            };
            co_return co_await service.on_strand(std::move(query));
        },
    });
    dispatcher.add({
        .name = "account_history",
        .summary = "Transactions from and to an address and pay it earned, newest first, in the "
                   "newest 2000 blocks; the amount of pay that has matured is null, and of old "
                   "pay only that of blocks the address won is listed.",
        .permission = RpcPermission::read,
        .parameters = {address_parameter(),
                       optional("count", schema::whole(1, kMaxHistoryCount),
                                "least number of entries", kDefaultHistoryCount)},
        .result = history_schema(),
        .call = [&service](RpcParams params) -> Task<json::value> {
            co_return co_await show_history(service, address_param(params),
                                            params.integer("count"));
        },
    });
    dispatcher.add({
        .name = "supply",
        .summary = "Coins ever minted, mature or not, and destroyed; all that is held is the "
                   "difference.",
        .permission = RpcPermission::read,
        .result = supply_schema(),
        .call = [&service](RpcParams) -> Task<json::value> {
            TransactionService::Query query = [&service] { return show_supply(service); };
            co_return co_await service.on_strand(std::move(query));
        },
    });
}

}  // namespace gradient::node
