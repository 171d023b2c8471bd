#include "tests/support/plain_ledger.hpp"

namespace gradient::test {

namespace {

using Error = chain::TransactionError;

constexpr std::uint64_t kLargestAmount = 1'000'000'000'000'000'000;
constexpr std::uint64_t kChunkBytes = 65'536;
constexpr std::uint64_t kMostDataBytes = 16'777'216;
constexpr std::uint64_t kMostActive = 64;
constexpr std::uint64_t kBlocksToRefund = 5;

std::uint64_t length_bytes(std::uint64_t count) {
    if (count < 253) return 1;
    return count < 65'536 ? 3 : 5;
}

}  // namespace

void PlainLedger::put_in(std::size_t owner, std::uint64_t amount) {
    purses_[owner].balance += amount;
    coins_ += amount;
}

PlainLedger::Purse PlainLedger::purse(std::size_t owner) const {
    const auto found = purses_.find(owner);
    return found == purses_.end() ? Purse{} : found->second;
}

std::uint64_t PlainLedger::least_fee(const Move& move) const {
    // kind, network, sender, nonce, fee, action's kind, signature
    std::uint64_t bytes = 1 + 4 + 32 + 8 + 8 + 1 + 64;
    std::uint64_t replays = 0;
    switch (move.kind) {
        case Move::Kind::transfer:
            bytes += 33 + 8;
            break;
        case Move::Kind::publish:
            bytes += length_bytes(move.chunks[0].bytes) + move.chunks[0].bytes;
            break;
        case Move::Kind::create:
            bytes += 2 + 31 + 1 + 8 + length_bytes(move.chunks.size()) + 32 * move.chunks.size() +
                     8 + 8 + 8;
            replays = move.chunks.size();
            break;
        case Move::Kind::fund:
            bytes += 4 + 8;
            break;
        case Move::Kind::cancel:
            bytes += 4;
            break;
    }
    return terms_.byte_fee * bytes + terms_.replay_fee * replays;
}

std::optional<Error> PlainLedger::judge_bytes(const Move& move) const {
    if (!move.right_network) return Error::wrong_network;
    switch (move.kind) {
        case Move::Kind::transfer:
        case Move::Kind::fund:
            if (move.amount == 0) return Error::zero_amount;
            break;
        case Move::Kind::publish:
            if (move.chunks[0].bytes == 0) return Error::bad_chunk;
            break;
        case Move::Kind::create: {
            if (!move.right_shape) return Error::bad_task_shape;
            const std::uint64_t wanted = (move.data_bytes + kChunkBytes - 1) / kChunkBytes;
            if (move.data_bytes == 0 || move.data_bytes > kMostDataBytes ||
                move.chunks.size() != wanted) {
                return Error::bad_task_data;
            }
            if (move.unit_budget == 0 || move.pay_per_hit == 0 ||
                move.pay_per_hit > move.amount / terms_.hits_per_block) {
                return Error::bad_task_terms;
            }
            break;
        }
        case Move::Kind::cancel:
            break;
    }
    if (move.amount + move.fee > kLargestAmount) return Error::amount_overflow;
    if (move.fee < least_fee(move)) return Error::fee_too_low;
    if (!move.rightly_signed) return Error::bad_signature;
    return std::nullopt;
}

std::optional<Error> PlainLedger::judge_task(const Move& move) const {
    const auto task = tasks_.find(move.task);
    if (task == tasks_.end()) return Error::unknown_task;
    if (!task->second.active) return Error::task_ended;
    const bool is_theft = move.kind == Move::Kind::cancel && task->second.owner != move.sender;
    return is_theft ? std::optional(Error::not_task_owner) : std::nullopt;
}

std::optional<Error> PlainLedger::judge(const Move& move) const {
    if (const auto error = judge_bytes(move)) return error;
    const Purse sender = purse(move.sender);
    if (move.nonce < sender.nonce) return Error::nonce_used;
    if (move.nonce > sender.nonce) return Error::nonce_gap;
    if (move.amount + move.fee > sender.balance) return Error::insufficient_balance;
    switch (move.kind) {
        case Move::Kind::transfer:
            return std::nullopt;
        case Move::Kind::publish:
            if (knows_chunk(move.chunks[0].number)) return Error::chunk_known;
            return std::nullopt;
        case Move::Kind::create: {
            if (creations_ >= terms_.creations_per_block) return Error::too_many_creations;
            if (active_ >= kMostActive) return Error::too_many_tasks;
            std::uint64_t left = move.data_bytes;
            for (const Move::Chunk& chunk : move.chunks) {
                if (!knows_chunk(chunk.number)) return Error::chunk_missing;
                const std::uint64_t wanted = left < kChunkBytes ? left : kChunkBytes;
                if (chunk.bytes != wanted) return Error::data_unfit;
                left -= wanted;
            }
            if (!move.right_data) return Error::data_unfit;
            return std::nullopt;
        }
        case Move::Kind::fund:
        case Move::Kind::cancel:
            return judge_task(move);
    }
    return std::nullopt;
}

void PlainLedger::make(const Move& move) {
    Purse& sender = purses_[move.sender];
    sender.balance -= move.amount + move.fee;
    sender.nonce += 1;
    fees_ += move.fee;
    switch (move.kind) {
        case Move::Kind::transfer:
            purses_[move.to].balance += move.amount;
            break;
        case Move::Kind::publish:
            chunks_.insert(move.chunks[0].number);
            break;
        case Move::Kind::create:
            tasks_[static_cast<std::uint32_t>(tasks_.size() + 1)] = {move.sender, move.amount};
            creations_ += 1;
            active_ += 1;
            break;
        case Move::Kind::fund:
            tasks_[move.task].escrow += move.amount;
            break;
        case Move::Kind::cancel:
            end(move.task);
            break;
    }
}

void PlainLedger::end(std::uint32_t task) {
    tasks_[task].active = false;
    tasks_[task].ended_height = height_;
    ending_.insert(task);
    active_ -= 1;
}

void PlainLedger::end_block(std::size_t miner, std::uint64_t next_height) {
    for (auto next = ending_.begin(); next != ending_.end();) {
        Task& task = tasks_[*next];
        if (task.ended_height + kBlocksToRefund > height_) {
            ++next;
            continue;
        }
        if (task.escrow > 0) purses_[task.owner].balance += task.escrow;
        task.escrow = 0;
        task.refunded = true;
        next = ending_.erase(next);
    }
    if (fees_ > 0) purses_[miner].balance += fees_;
    fees_ = 0;
    creations_ = 0;
    height_ = next_height;
}

}  // namespace gradient::test
