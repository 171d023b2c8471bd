#pragma once

#include "chain/base/amount.hpp"
#include "chain/base/bytes.hpp"
#include "chain/crypto/address.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/fraud.hpp"
#include "chain/types/transaction.hpp"
#include "node/audit/proof_file.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/ledger/ledger_service.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace gradient::node {

/// Brings fraud proofs into the chain: announces each by a commitment, shows it when that is two
/// blocks deep, and keeps both in a file meanwhile, so that a restart loses no deposit. What is to
/// be done next is read off the state after the tip alone, so a change of branch needs no care.
/// Use it from the ledger's strand only.
class Accuser {
  public:
    struct Counters {
        std::size_t unannounced = 0;  ///< proofs without a commitment in the chain
        std::size_t committed = 0;    ///< commitments in the chain that wait to be revealed
        std::size_t open_cases = 0;   ///< proven; the reward is not paid yet
        std::uint64_t revealed = 0;   ///< proofs that the chain has taken since the start
    };

    /// References must outlive this.
    Accuser(LedgerService& ledger, const chain::SecretKey& key, std::filesystem::path file);

    /// Reads the file. Throws Failure(data_directory).
    void load();

    /// Takes a proof against a segment that a block at `height` included.
    void add(const chain::Hash256& segment, std::uint64_t height, chain::FalseUnitProof proof);

    /// The tip has changed.
    void renew();

    [[nodiscard]] Counters counters() const;

    Task<> close();

  private:
    enum class Stage : std::uint8_t {
        unannounced,  // a commitment is wanted
        waiting,      // nothing can be done on this tip
        committed,    // the commitment is in the chain, not deep enough yet
        ripe,         // the proof can be shown
        open_case,    // the chain has taken the proof
        ended,        // nothing is left to be done
    };
    struct Entry {
        StoredProof stored;
        chain::Hash256 commitment;
        Stage stage = Stage::waiting;
        std::uint64_t commit_height = 0;  // if committed or ripe
        bool counted = false;             // in revealed
        std::string complaint;            // the last one that was logged
    };

    [[nodiscard]] Entry entry_of(StoredProof stored) const;
    [[nodiscard]] Stage stage_of(Entry& entry) const;
    [[nodiscard]] Stage stage_without_commitment(const Entry& entry) const;
    void update(Entry& entry);
    void drop_ended();
    void save();
    Task<> run();
    Task<> act();
    [[nodiscard]] bool is_pooled(const Entry& entry) const;
    [[nodiscard]] bool has_earlier_one(const Entry& entry) const;
    Task<> send(Entry& entry, chain::Action action, chain::Amount deposit);
    [[nodiscard]] std::shared_ptr<const chain::SignedTransaction> sign(chain::Action action) const;
    void complain(Entry& entry, const std::string& why) const;

    LedgerService& ledger_;
    const chain::SecretKey& key_;
    chain::Address address_;
    std::filesystem::path file_;
    TaskGroup tasks_;
    std::vector<std::shared_ptr<Entry>> entries_;
    bool unsaved_ = false;
    std::uint64_t revealed_ = 0;
    std::uint64_t wanted_ = 0;  // counts renewals asked for
    std::uint64_t done_ = 0;    // the last one that was carried out
};

}  // namespace gradient::node
