#include "tests/support/ledger_game.hpp"

#include "chain/base/amount.hpp"
#include "chain/base/check.hpp"
#include "chain/state/entries.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/transactions/task_rules.hpp"
#include "chain/types/data.hpp"
#include "tests/support/signed_transactions.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace gradient::test {

namespace {

using chain::Bytes;
using Kind = Move::Kind;

constexpr std::size_t kPlayers = 40;
constexpr std::size_t kAddresses = 48;  // the last ones never sign
constexpr std::uint32_t kNetwork = 77;
constexpr std::uint64_t kByteFee = 10;
constexpr std::uint64_t kReplayFee = 10'000;
constexpr std::uint64_t kHitsPerBlock = 2;
constexpr std::uint64_t kCreations = 3;
constexpr std::size_t kRemembered = 4096;

// The shelf: chunks that tasks are made of, by number.
constexpr std::uint64_t kGoodTexts = 8;   // 0 to 7, one chunk each
constexpr std::uint64_t kShortText = 8;   // no training part worth the name
constexpr std::uint64_t kPoorText = 9;    // no substance
constexpr std::uint64_t kFullChunk = 10;  // the first of two
constexpr std::uint64_t kShelf = 11;
constexpr std::uint64_t kNeverPublished = 999;

constexpr std::array<const char*, 5> kNames = {"transfer", "publish", "create", "fund", "cancel"};

const char* name_of(Kind kind) {
    return kNames.at(static_cast<std::size_t>(kind));
}

chain::Amount units(std::uint64_t count) {
    const auto amount = chain::Amount::from_units(count);
    CHECK(amount);
    return *amount;
}

}  // namespace

// ------------------------------------------------------------------------------------------ setup

LedgerGame::LedgerGame(std::uint64_t seed)
    : random_(seed), plain_({kByteFee, kReplayFee, kHitsPerBlock, kCreations}) {
    params_.byte_fee = units(kByteFee);
    params_.replay_fee = units(kReplayFee);
    params_.work.hits_per_win = kHitsPerBlock;
    params_.max_task_creations = kCreations;
    genesis_.bytes.fill(0x47);

    for (std::uint64_t i = 0; i < kGoodTexts; ++i) shelf_[i] = random_letters(4200 + 90 * i, i);
    shelf_[kShortText] = random_letters(1000, kShortText);
    shelf_[kPoorText] = Bytes(5000, 'a');
    shelf_[kFullChunk] = random_letters(chain::kDataChunkBytes, kFullChunk);

    // All the coins there may be, in a few hands.
    chain::State state(base_);
    for (std::uint32_t i = 0; i < kAddresses; ++i) {
        keys_.push_back(numbered_key(i));
        addresses_.push_back(chain::address_of(keys_.back().public_key()));
        owner_of_key_[chain::account_key(addresses_.back())] = i;
    }
    for (std::size_t i = 0; i < 20; ++i) {
        const std::uint64_t share = chain::kMaxAmountUnits / 20;
        CHECK(chain::credit(state, addresses_[i], units(share)));
        plain_.put_in(i, share);
    }
    base_.apply(*state.diff());
    start_block();
}

void LedgerGame::start_block() {
    state_ = std::make_unique<chain::State>(base_);
    tally_ = {};
}

chain::TransactionContext LedgerGame::context() const {
    chain::Hash256 parent;
    parent.bytes.fill(static_cast<std::uint8_t>(plain_.height()));
    return {params_, genesis_, kNetwork, plain_.height(), parent, nullptr, nullptr};
}

// ------------------------------------------------------------------------------------------ moves

// From one unit to all of it, every magnitude as often.
std::uint64_t LedgerGame::some_amount(std::uint64_t most) {
    if (most <= 1) return most;
    std::uint64_t limit = most;
    for (std::uint64_t halvings = below(40); halvings > 0 && limit > 1; --halvings) limit /= 2;
    return 1 + below(limit);
}

// Mostly one that exists.
std::uint32_t LedgerGame::some_task() {
    if (!open_tasks_.empty() && !once_in(8)) return open_tasks_[below(open_tasks_.size())];
    const auto made = static_cast<std::uint32_t>(plain_.tasks().size());
    const std::array<std::uint32_t, 4> odd = {0, made + 1, UINT32_MAX,
                                              static_cast<std::uint32_t>(1 + below(made + 1))};
    return odd.at(below(odd.size()));
}

void LedgerGame::fill_create(Move& move) {
    const std::uint64_t text = below(kGoodTexts);
    move.chunks = {{text, shelf_[text].size()}};
    if (once_in(30)) {
        move.chunks.insert(move.chunks.begin(), {kFullChunk, shelf_[kFullChunk].size()});
    }
    for (const Move::Chunk& chunk : move.chunks) move.data_bytes += chunk.bytes;
    move.unit_budget = 1 + below(100'000);
    const std::uint64_t rich = plain_.purse(move.sender).balance / 4 + 2 * kHitsPerBlock;
    move.amount = std::max(some_amount(rich), kHitsPerBlock);
    move.pay_per_hit = 1 + below(move.amount / kHitsPerBlock);
}

// A move that its sender can make, unless it is poor or the task is not what it was.
Move LedgerGame::honest_move() {
    Move move;
    const std::uint64_t dice = below(100);
    move.kind = dice < 54   ? Kind::transfer
                : dice < 71 ? Kind::publish
                : dice < 77 ? Kind::create
                : dice < 96 ? Kind::fund
                            : Kind::cancel;
    move.sender = below(kPlayers);
    for (int tries = 0; tries < 3 && plain_.purse(move.sender).balance == 0; ++tries) {
        move.sender = below(kPlayers);
    }
    switch (move.kind) {
        case Kind::transfer:
            move.to = once_in(20) ? move.sender : below(kAddresses);
            break;
        case Kind::publish: {
            const std::uint64_t number = once_in(12) ? below(kShelf) : next_chunk_++;
            const std::uint64_t size = number < kShelf ? shelf_[number].size() : 8 + below(300);
            move.chunks = {{number, size}};
            break;
        }
        case Kind::create:
            fill_create(move);
            break;
        case Kind::fund:
            move.task = some_task();
            break;
        case Kind::cancel:
            move.task = some_task();
            if (const auto task = plain_.tasks().find(move.task);
                task != plain_.tasks().end() && !once_in(4)) {
                move.sender = task->second.owner;
            }
            break;
    }
    move.nonce = plain_.purse(move.sender).nonce;
    move.fee = plain_.least_fee(move) + (once_in(3) ? below(5000) : 0);
    const std::uint64_t balance = plain_.purse(move.sender).balance;
    if (move.kind == Kind::transfer || move.kind == Kind::fund) {
        const std::uint64_t left = balance > move.fee ? balance - move.fee : 1;
        move.amount = once_in(10) ? left : some_amount(left);  // now and then the last unit
    }
    return move;
}

// Breaks one rule, or stops just short of it.
void LedgerGame::spoil(Move& move) {
    const std::uint64_t balance = plain_.purse(move.sender).balance;
    switch (below(10)) {
        case 0:
            move.right_network = false;
            break;
        case 1:
            move.rightly_signed = false;
            break;
        case 2:  // a gap, from the next number to the largest
            move.nonce += once_in(3) ? UINT64_MAX - move.nonce : 1 + below(3);
            break;
        case 3:  // the same number again
            if (move.nonce > 0) move.nonce -= 1 + below(std::min<std::uint64_t>(move.nonce, 3));
            break;
        case 4:
            move.fee = once_in(2) ? move.fee - 1 : below(move.fee);
            break;
        case 5:  // one unit too much, or far too much
            move.fee = once_in(2) ? std::max(balance, move.amount) - move.amount + 1
                                  : some_amount(chain::kMaxAmountUnits);
            move.fee = std::min(move.fee, chain::kMaxAmountUnits);
            break;
        case 6:
            if (move.kind == Kind::publish) move.chunks[0].bytes = 0;
            if (move.kind == Kind::transfer || move.kind == Kind::fund) move.amount = 0;
            if (move.kind == Kind::create) move.unit_budget = 0;
            break;
        case 7:
            if (move.kind == Kind::transfer || move.kind == Kind::fund) {
                move.amount = chain::kMaxAmountUnits - below(3) * move.fee / 2;
            }
            if (move.kind == Kind::create) {
                move.pay_per_hit =
                    once_in(3) ? 0
                               : std::min(move.amount / kHitsPerBlock + 1, chain::kMaxAmountUnits);
            }
            break;
        default:
            if (move.kind != Kind::create) break;
            switch (below(7)) {
                case 0:
                    move.right_shape = false;
                    break;
                case 1:
                    move.data_bytes = once_in(2) ? 0 : chain::kMaxDataBytes + 1;
                    break;
                case 2:
                    move.chunks.push_back(move.chunks[0]);
                    break;
                case 3:  // as many chunks, other sizes
                    move.data_bytes -= 1;
                    break;
                case 4:
                    move.chunks.back() = {kNeverPublished, 4500};
                    break;
                default: {
                    const std::uint64_t text = once_in(2) ? kShortText : kPoorText;
                    move.chunks = {{text, shelf_[text].size()}};
                    move.data_bytes = shelf_[text].size();
                    move.right_data = false;
                }
            }
    }
}

Bytes LedgerGame::chunk_bytes(const Move::Chunk& chunk) const {
    if (chunk.bytes == 0) return {};
    if (const auto found = shelf_.find(chunk.number); found != shelf_.end()) return found->second;
    Bytes bytes(chunk.bytes, 0x2e);
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(chunk.number >> (8 * i));
    }
    return bytes;
}

chain::SignedTransaction LedgerGame::written(const Move& move) const {
    chain::SignedTransaction transaction;
    transaction.network_id = move.right_network ? kNetwork : kNetwork + 1;
    transaction.sender = keys_[move.sender].public_key();
    transaction.nonce = move.nonce;
    transaction.fee = units(move.fee);
    switch (move.kind) {
        case Kind::transfer:
            transaction.action = chain::Transfer{addresses_[move.to], units(move.amount)};
            break;
        case Kind::publish:
            transaction.action = chain::PublishData{chunk_bytes(move.chunks[0])};
            break;
        case Kind::create: {
            chain::CreateTask create;
            create.shape = cheapest_text_shape();
            if (!move.right_shape) create.shape.rows = 31;
            create.data_bytes = move.data_bytes;
            for (const Move::Chunk& chunk : move.chunks) {
                create.chunks.push_back(chain::chunk_id(chunk_bytes(chunk)));
            }
            create.unit_budget = move.unit_budget;
            create.pay_per_hit = units(move.pay_per_hit);
            create.escrow = units(move.amount);
            transaction.action = create;
            break;
        }
        case Kind::fund:
            transaction.action = chain::FundTask{move.task, units(move.amount)};
            break;
        case Kind::cancel:
            transaction.action = chain::CancelTask{move.task};
            break;
    }
    return transaction;
}

// Signs, or pretends to: with another key, for another chain, with a bit turned, or by moving the
// signature of another transaction of the same sender.
LedgerGame::Sent LedgerGame::send(Move move) {
    chain::SignedTransaction transaction = written(move);
    const chain::SecretKey& key = keys_[move.sender];
    if (move.rightly_signed) {
        sign(transaction, key, genesis_);
    } else {
        chain::Hash256 elsewhere = genesis_;
        elsewhere.bytes[0] ^= 1;
        Move other = move;
        switch (below(4)) {
            case 0:
                sign(transaction, keys_[(move.sender + 1) % kPlayers], genesis_);
                break;
            case 1:
                sign(transaction, key, elsewhere);
                break;
            case 2:
                sign(transaction, key, genesis_);
                transaction.signature.bytes.at(below(64)) ^=
                    static_cast<std::uint8_t>(1U << below(8));
                break;
            default: {
                other.task += 1;  // the same, but for another task or by another amount
                other.nonce += move.kind == Kind::fund || move.kind == Kind::cancel ? 0 : 1;
                chain::SignedTransaction first = written(other);
                sign(first, key, genesis_);
                transaction.signature = first.signature;
            }
        }
    }
    return {std::make_shared<const chain::SignedTransaction>(std::move(transaction)),
            std::move(move)};
}

// ----------------------------------------------------------------------------------------- judging

std::optional<std::string> LedgerGame::compare_account(std::size_t owner) const {
    const auto found = chain::read_account(*state_, addresses_[owner]);
    if (!found) return found.error().message;
    const auto wanted = plain_.purse(owner);
    if (found->balance.units() == wanted.balance && found->nonce == wanted.nonce) return {};
    return "account " + std::to_string(owner) + " has " + found->balance.to_string() +
           " and nonce " + std::to_string(found->nonce) + ", not " +
           std::to_string(wanted.balance) + " units and nonce " + std::to_string(wanted.nonce);
}

std::optional<std::string> LedgerGame::compare_task(std::uint32_t task) const {
    const auto found =
        chain::read_entry<chain::TaskAccount>(*state_, chain::task_account_key(task));
    if (!found) return found.error().message;
    const auto wanted = plain_.tasks().find(task);
    const std::string name = "task " + std::to_string(task);
    if (wanted == plain_.tasks().end()) {
        return *found ? std::optional(name + " should not exist") : std::nullopt;
    }
    if (!*found) return name + " is missing";
    const chain::TaskAccount& account = **found;
    const bool same = account.owner == addresses_[wanted->second.owner] &&
                      account.escrow.units() == wanted->second.escrow &&
                      (account.status == chain::TaskStatus::active) == wanted->second.active &&
                      account.ended_height == wanted->second.ended_height;
    return same ? std::nullopt : std::optional(name + " differs");
}

// Every coin that was put in is in an account, in an escrow, or a fee of this block.
std::optional<std::string> LedgerGame::compare_coins() const {
    std::uint64_t sum = tally_.fees.units();  // at most 10^18 each, and far fewer in all
    for (const chain::Address& owner : addresses_) {
        const auto account = chain::read_account(*state_, owner);
        if (!account) return account.error().message;
        sum += account->balance.units();
    }
    for (const std::uint32_t task : open_tasks_) {
        const auto account =
            chain::require_entry<chain::TaskAccount>(*state_, chain::task_account_key(task));
        if (!account) return account.error().message;
        sum += account->escrow.units();
    }
    if (sum == plain_.coins() && tally_.fees.units() == plain_.fees()) return {};
    return "there are " + std::to_string(sum) + " units, not " + std::to_string(plain_.coins());
}

std::optional<std::string> LedgerGame::try_transaction(const Sent& sent) {
    const Move& move = sent.move;
    const auto wanted = plain_.judge(move);
    const auto before = state_->diff();
    const chain::BlockTally tally_before = tally_;

    std::optional<chain::TransactionError> refused;
    const auto checked = chain::check_transaction(sent.transaction, context());
    if (checked) {
        const auto admitted = chain::admit_transaction(*state_, *checked, context(), tally_);
        if (admitted) {
            const auto applied = chain::apply_transaction(*state_, *admitted, context(), tally_);
            if (!applied) return applied.error().message;
        } else if (const auto* broken = std::get_if<chain::StoreError>(&admitted.error())) {
            return broken->message;
        } else {
            refused = std::get<chain::TransactionError>(admitted.error());
        }
    } else {
        refused = checked.error();
    }

    const auto words = [](const std::optional<chain::TransactionError>& error) {
        return error ? "refused: " + std::string(chain::describe(*error)) : std::string("applied");
    };
    if (refused != wanted) {
        return std::string("a ") + name_of(move.kind) + " is " + words(refused) +
               "; it should be " + words(wanted);
    }
    if (refused) {
        ++outcomes_[words(refused)];
        if (*state_->diff() != *before || tally_.fees != tally_before.fees ||
            tally_.creations != tally_before.creations) {
            return "a refused transaction has left a trace: " + words(refused);
        }
    } else {
        ++outcomes_[std::string("applied ") + name_of(move.kind)];
        plain_.make(move);
        if (move.kind == Kind::create) {
            open_tasks_.push_back(static_cast<std::uint32_t>(plain_.tasks().size()));
            if (const auto wrong = compare_task(open_tasks_.back())) return wrong;
        }
        if (history_.size() < kRemembered) {
            history_.push_back(sent);
        } else {
            history_[below(kRemembered)] = sent;
        }
    }
    if (const auto wrong = compare_account(move.sender)) return wrong;
    if (const auto wrong = compare_account(move.to)) return wrong;
    if (const auto wrong = compare_task(move.task)) return wrong;
    return compare_coins();
}

// Nothing but accounts that exist and parts of tasks may have changed.
std::optional<std::string> LedgerGame::compare_diff(const chain::StateDiff& diff) const {
    using chain::EntryKind;
    for (const chain::StateWrite& write : diff.writes) {
        const auto kind = static_cast<EntryKind>(write.key.front());
        switch (kind) {
            case EntryKind::account: {
                const auto owner = owner_of_key_.find(write.key);
                if (owner == owner_of_key_.end()) return "a stranger has an account";
                const auto purse = plain_.purse(owner->second);
                const bool is_empty = purse.balance == 0 && purse.nonce == 0;
                if (is_empty == (write.value != nullptr)) return "an empty account has an entry";
                break;
            }
            case EntryKind::task:
            case EntryKind::progress:
            case EntryKind::model:
            case EntryKind::data_chunk:
            case EntryKind::task_data:
            case EntryKind::task_account:
                if (!write.value) return "an entry that stays for ever is gone";
                break;
            case EntryKind::task_list:
                break;
            default:
                return "an entry of kind " + std::to_string(write.key.front()) + " has changed";
        }
    }
    return {};
}

std::optional<std::string> LedgerGame::end_block() {
    ++outcomes_["block"];
    // Now and then a task ends by itself.
    for (const std::uint32_t task : open_tasks_) {
        if (!plain_.tasks().at(task).active || !once_in(400)) continue;
        constexpr std::array kWays = {chain::TaskStatus::completed, chain::TaskStatus::exhausted,
                                      chain::TaskStatus::suspended};
        const auto ended = chain::end_task(*state_, task, kWays.at(below(3)), plain_.height());
        if (!ended) return ended.error().message;
        plain_.end(task);
    }
    if (const auto paid = chain::refund_ended_tasks(*state_, plain_.height()); !paid) {
        return paid.error().message;
    }
    const std::size_t miner = below(kAddresses);
    if (const auto paid = chain::credit(*state_, addresses_[miner], tally_.fees); !paid) {
        return paid.error().message;
    }
    tally_ = {};
    plain_.end_block(miner, plain_.height() + (once_in(10) ? 1 + below(4) : 1));

    for (std::size_t i = 0; i < kAddresses; ++i) {
        if (const auto wrong = compare_account(i)) return wrong;
    }
    for (const std::uint32_t task : open_tasks_) {
        if (const auto wrong = compare_task(task)) return wrong;
    }
    const auto list = chain::read_task_list(*state_);
    if (!list) return list.error().message;
    if (list->active.size() != plain_.active() ||
        !std::is_sorted(list->active.begin(), list->active.end())) {
        return "the list of active tasks differs";
    }
    if (const auto wrong = compare_coins()) return wrong;
    const auto diff = state_->diff();
    if (!diff) return diff.error().message;
    if (const auto wrong = compare_diff(*diff)) return wrong;
    base_.apply(*diff);

    // Nothing reads the model of a task that is over; the test's memory is finite.
    std::erase_if(open_tasks_, [&](std::uint32_t task) {
        if (!plain_.tasks().at(task).refunded) return false;
        base_.apply({{{chain::model_key(task), nullptr}}});
        return true;
    });
    start_block();
    return {};
}

std::optional<std::string> LedgerGame::step() {
    if (once_in(25)) return end_block();
    if (!history_.empty() && once_in(20)) return try_transaction(history_[below(history_.size())]);
    Move move = honest_move();
    if (once_in(3)) spoil(move);
    if (once_in(20)) spoil(move);
    return try_transaction(send(std::move(move)));
}

}  // namespace gradient::test
