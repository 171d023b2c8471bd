#include "node/audit/accuser.hpp"

#include "chain/state/entries.hpp"
#include "chain/transactions/fraud_rules.hpp"
#include "node/audit/secure_random.hpp"
#include "node/setup/store_failure.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace gradient::node {

namespace {

// Paid for a place before what pays the least.
constexpr std::uint64_t kFeeFactor = 2;

chain::Amount fee_of(const chain::SignedTransaction& transaction, LedgerService& ledger) {
    const auto least = chain::least_fee(transaction, ledger.network().params());
    const auto fee = least ? chain::checked_mul_div(*least, kFeeFactor, 1) : std::nullopt;
    if (!fee) throw Failure(ExitCode::failure, "The fee of a fraud proof exceeds any amount");
    return *fee;
}

}  // namespace

Accuser::Accuser(LedgerService& ledger, const chain::SecretKey& key, std::filesystem::path file)
    : ledger_(ledger),
      key_(key),
      address_(chain::address_of(key.public_key())),
      file_(std::move(file)),
      tasks_(ledger.strand(), 1) {}

Accuser::Entry Accuser::entry_of(StoredProof stored) const {
    Entry entry;
    entry.commitment = chain::fraud_commitment(stored.subject, address_, stored.salt);
    entry.stored = std::move(stored);
    return entry;
}

void Accuser::load() {
    for (auto& stored : read_proofs(file_)) {
        entries_.push_back(std::make_shared<Entry>(entry_of(std::move(stored))));
    }
    if (entries_.empty()) return;
    spdlog::info("{} fraud proofs are on their way", entries_.size());
    renew();
}

void Accuser::add(const chain::Hash256& segment, std::uint64_t height,
                  chain::FalseUnitProof proof) {
    const auto same = [&](const auto& entry) { return entry->stored.subject == segment; };
    if (std::ranges::any_of(entries_, same)) return;
    if (entries_.size() >= kMaxStoredProofs) {
        spdlog::warn("a fraud proof against segment {} is dropped: {} are on their way already",
                     segment.to_hex(), entries_.size());
        return;
    }
    StoredProof stored{segment, height, {}, std::move(proof)};
    fill_random(stored.salt.bytes);
    entries_.push_back(std::make_shared<Entry>(entry_of(std::move(stored))));
    unsaved_ = true;
    renew();
}

void Accuser::renew() {
    ++wanted_;
    if (!entries_.empty() && tasks_.size() == 0) tasks_.spawn(run());
}

Accuser::Counters Accuser::counters() const {
    Counters counters;
    for (const auto& entry : entries_) {
        switch (entry->stage) {
            case Stage::unannounced:
            case Stage::waiting:
                ++counters.unannounced;
                break;
            case Stage::committed:
            case Stage::ripe:
                ++counters.committed;
                break;
            case Stage::open_case:
                ++counters.open_cases;
                break;
            case Stage::ended:
                break;
        }
    }
    counters.revealed = revealed_;
    return counters;
}

Task<> Accuser::close() {
    co_await tasks_.close();
}

Task<> Accuser::run() {
    while (done_ != wanted_) {
        const std::uint64_t wanted = wanted_;
        try {
            co_await act();
        } catch (const std::exception& error) {
            spdlog::error("fraud proofs wait for the next block: {}", error.what());
        }
        done_ = wanted;
    }
}

Task<> Accuser::act() {
    for (const auto& entry : entries_) update(*entry);
    drop_ended();
    save();  // no commitment leaves before its salt is on the disk
    const auto entries = entries_;
    for (const auto& entry : entries) {
        if (is_pooled(*entry)) continue;
        const Stage stage = stage_of(*entry);  // sending takes time
        // Named: g++ 12 destroys a temporary of a co_await expression twice.
        if (stage == Stage::unannounced && !has_earlier_one(*entry)) {
            chain::Action commit = chain::CommitFraud{entry->commitment};
            co_await send(*entry, std::move(commit), ledger_.network().params().fraud_deposit);
        } else if (stage == Stage::ripe) {
            const StoredProof& stored = entry->stored;
            chain::Action reveal =
                chain::RevealFraud{entry->commit_height, stored.salt, stored.proof};
            co_await send(*entry, std::move(reveal), chain::Amount());
        }
    }
}

// What the state after the tip says of a proof.
Accuser::Stage Accuser::stage_of(Entry& entry) const {
    const auto& state = ledger_.tip()->state();
    const std::uint64_t next = ledger_.tip()->height() + 1;
    for (std::uint64_t age = 1; age <= chain::kRevealWindow && age < next; ++age) {
        const auto key = chain::fraud_commitment_entry(next - age, entry.commitment, address_);
        if (!require(state.get(key))) continue;
        entry.commit_height = next - age;
        return age < chain::kRevealDelay ? Stage::committed : Stage::ripe;
    }
    return stage_without_commitment(entry);
}

Accuser::Stage Accuser::stage_without_commitment(const Entry& entry) const {
    const auto& state = ledger_.tip()->state();
    const std::uint64_t next = ledger_.tip()->height() + 1;
    const std::uint64_t maturity = ledger_.network().params().maturity_blocks;
    const auto open = require(
        chain::read_entry<chain::FraudCase>(state, chain::fraud_case_key(entry.stored.subject)));
    if (open) return open->owner == address_ ? Stage::open_case : Stage::ended;
    const auto included = require(
        chain::read_entry<chain::IncludedSegment>(state, chain::segment_key(entry.stored.subject)));
    if (!included) {
        // Its block may have left the chain for a while only.
        return entry.stored.height + maturity < next ? Stage::ended : Stage::waiting;
    }
    if ((included->proven & chain::IncludedSegment::kFalseUnit) != 0) return Stage::ended;
    // The commitment in the next block, the proof two blocks later.
    if (included->height + maturity <= next + chain::kRevealDelay) return Stage::ended;
    return Stage::unannounced;
}

void Accuser::update(Entry& entry) {
    entry.stage = stage_of(entry);
    if (entry.stage != Stage::open_case || entry.counted) return;
    entry.counted = true;
    ++revealed_;
    const auto open = require(chain::read_entry<chain::FraudCase>(
        ledger_.tip()->state(), chain::fraud_case_key(entry.stored.subject)));
    spdlog::info(
        "the fraud proof against segment {} is in the chain: its miner {} loses its "
        "immature pay, {} coins come here at height {}",
        entry.stored.subject.to_hex(), entry.stored.proof.tmpl.miner.to_hex(),
        open ? open->reward.to_string() : "0", open ? open->closing_height : 0);
}

void Accuser::drop_ended() {
    const auto ended = [](const auto& entry) { return entry->stage == Stage::ended; };
    for (const auto& entry : entries_) {
        if (!ended(entry) || entry->counted) continue;
        spdlog::info(
            "the fraud proof against segment {} has come to nothing: it was too late, or "
            "somebody else came first",
            entry->stored.subject.to_hex());
    }
    if (std::erase_if(entries_, ended) > 0) unsaved_ = true;
}

void Accuser::save() {
    if (!unsaved_) return;
    std::vector<StoredProof> stored;
    for (const auto& entry : entries_) stored.push_back(entry->stored);
    write_proofs(file_, stored);
    unsaved_ = false;
}

// Whether its commitment or its proof waits for a block, whoever put it there.
bool Accuser::is_pooled(const Entry& entry) const {
    for (const auto& checked : ledger_.mempool().of_sender(address_)) {
        const auto& action = checked.transaction().action;
        const auto* commit = std::get_if<chain::CommitFraud>(&action);
        if (commit && commit->commitment == entry.commitment) return true;
        const auto* reveal = std::get_if<chain::RevealFraud>(&action);
        if (reveal && reveal->salt == entry.stored.salt) return true;
    }
    return false;
}

// A proof takes all that its miner has coming: a second one at the same time would take nothing.
bool Accuser::has_earlier_one(const Entry& entry) const {
    for (const auto& other : entries_) {
        if (other.get() == &entry) return false;
        const bool runs = other->stage == Stage::unannounced || other->stage == Stage::committed ||
                          other->stage == Stage::ripe;
        if (runs && other->stored.proof.tmpl.miner == entry.stored.proof.tmpl.miner) return true;
    }
    return false;
}

std::shared_ptr<const chain::SignedTransaction> Accuser::sign(chain::Action action) const {
    chain::SignedTransaction transaction;
    transaction.network_id = ledger_.network().spec.network_id;
    transaction.sender = key_.public_key();
    transaction.nonce = require(ledger_.mempool().next_nonce(address_, ledger_.tip()->state()));
    transaction.action = std::move(action);
    transaction.fee = fee_of(transaction, ledger_);
    transaction.signature =
        key_.sign(chain::transaction_message(ledger_.network().genesis.id, transaction));
    return std::make_shared<const chain::SignedTransaction>(std::move(transaction));
}

Task<> Accuser::send(Entry& entry, chain::Action action, chain::Amount deposit) {
    const auto transaction = sign(std::move(action));
    const auto account = require(
        chain::read_entry<chain::Account>(ledger_.tip()->state(), chain::account_key(address_)));
    const auto needed = chain::checked_add(transaction->fee, deposit);
    if (!needed || !account || account->balance < *needed) {
        complain(entry,
                 fmt::format("the miner's key needs {} coins for fee and deposit, and has {}",
                             needed ? needed->to_string() : "more",
                             account ? account->balance.to_string() : "none"));
        co_return;
    }
    const auto sent = co_await ledger_.submit_transaction(transaction);
    if (!sent) {
        complain(entry, chain::describe(sent.error()));
        co_return;
    }
    entry.complaint.clear();
    spdlog::info("the fraud proof against segment {} is {}", entry.stored.subject.to_hex(),
                 deposit.is_zero() ? "shown" : "announced");
}

void Accuser::complain(Entry& entry, const std::string& why) const {
    if (!entry.complaint.empty()) return;
    entry.complaint = why;
    spdlog::warn("a fraud proof against segment {} waits: {}", entry.stored.subject.to_hex(), why);
}

}  // namespace gradient::node
