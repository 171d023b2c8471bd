// What the ledger costs, and how that grows with the accounts in the state.
//
//   accounts  blocks of 2,000 transfers between accounts drawn at random, on a LevelDB store of
//             10^3, 10^4, ... accounts: applied, undone, hashed into the state root, committed,
//             step by step and through the ledger
//   blocks    whole blocks of the tiny and of the default text network on which 1, 7 and 22
//             lanes run, so that they have 0, some 5 and 10 to 20 shares: where the time of
//             verifying them goes, and their bytes in the store
//
// Times are processor time of the one thread and medians over rounds; "wall" says where they are
// not. Beside them stands the time of one Ed25519 verification in the same rounds: ratios to it
// ("/ signatures": to that of all of a block's) carry over to other machines. The store lies in the
// directory for temporary files (TMPDIR).
//
// Lanes of the default network are shorter than at home, where one runs some 1,000 units in the
// ten seconds between blocks: --units gives their mean length. Their hits are as many as there: ten
// to a lane, 44 to a block (at home 64: a block that takes twice its time would not hold them all).
// So a segment at home has 32 bytes more for each unit that is missing here, and as many openings.

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/genesis_spec.hpp"
#include "chain/ledger.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "chain/storage/stored_state.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "chain/transition/settle_task.hpp"
#include "chain/work/task_model.hpp"
#include "tests/support/counting_store.hpp"
#include "tests/support/lane_network.hpp"
#include "tests/support/shared_store.hpp"
#include "tests/support/signed_transactions.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_network.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace gradient::chain {
namespace {

constexpr std::size_t kTransfers = 2'000;  // of a block

// ---------------------------------------------------------------------------------------- figures

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double seconds_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Processor and wall time since it was made.
class Stopwatch {
  public:
    [[nodiscard]] double cpu_s() const { return seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_; }
    [[nodiscard]] double wall_s() const { return seconds_of(CLOCK_MONOTONIC) - wall_; }

  private:
    double cpu_ = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    double wall_ = seconds_of(CLOCK_MONOTONIC);
};

/// One column of a table: samples by name, in the order of their first mention.
class Column {
  public:
    explicit Column(std::string title) : title_(std::move(title)) {}

    void add(const std::string& name, double value) {
        const auto named = [&](const auto& sample) { return sample.first == name; };
        auto found = std::ranges::find_if(samples_, named);
        if (found == samples_.end()) found = samples_.insert(found, {name, {}});
        found->second.push_back(value);
    }
    void add_ms(const std::string& name, double seconds) { add(name + ", ms", 1e3 * seconds); }

    [[nodiscard]] const std::string& title() const noexcept { return title_; }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& [name, values] : samples_) names.push_back(name);
        return names;
    }
    [[nodiscard]] std::optional<double> value(const std::string& name) const {
        for (const auto& [known, values] : samples_)
            if (known == name) return median(values);
        return std::nullopt;
    }

  private:
    std::string title_;
    std::vector<std::pair<std::string, std::vector<double>>> samples_;
};

struct Table {
    std::string title;
    bool grows = false;  ///< whether the last column by the first one means something
    std::vector<Column> columns;
};

void print(const Table& table) {
    std::printf("%-36s", table.title.c_str());
    for (const Column& column : table.columns) std::printf(" %12s", column.title().c_str());
    std::printf("%s\n", table.grows ? "    last/first" : "");
    for (const std::string& name : table.columns.back().names()) {
        std::printf("%-36s", name.c_str());
        for (const Column& column : table.columns) {
            const auto value = column.value(name);
            if (!value) {
                std::printf(" %12s", "-");
            } else {
                std::printf(*value < 1000 ? " %12.2f" : " %12.0f", *value);
            }
        }
        const auto first = table.columns.front().value(name);
        if (table.grows && first && *first > 0) {
            std::printf("  %12.2f", *table.columns.back().value(name) / *first);
        }
        std::printf("\n");
    }
    std::printf("\n");
}

boost::json::object json_of(const Table& table) {
    boost::json::object columns;
    for (const Column& column : table.columns) {
        boost::json::object values;
        for (const std::string& name : column.names()) values[name] = *column.value(name);
        columns[column.title()] = std::move(values);
    }
    return columns;
}

// The tables of the store by the first byte of their keys.
const char* table_name(std::uint8_t first) {
    switch (first) {
        case 'b':
            return "bytes: body";
        case 'h':
            return "bytes: index";
        case 'd':
            return "bytes: undo";
        case 's':
            return "bytes: state";
        case 'n':
            return "bytes: tree";
        default:
            return "bytes: the rest";
    }
}

void add_bytes(Column& column, const WriteBatch& batch) {
    std::map<std::string, std::size_t> bytes;
    for (const WriteBatch::Operation& operation : batch.operations()) {
        bytes[table_name(operation.key.front())] +=
            operation.key.size() + (operation.value ? operation.value->size() : 0);
    }
    for (const auto& [name, count] : bytes) column.add(name, static_cast<double>(count));
    column.add("bytes: whole batch", static_cast<double>(batch.size_bytes()));
}

// --------------------------------------------------------------------------------------- accounts

double directory_bytes(const std::filesystem::path& directory) {
    double bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
        std::error_code gone;
        const auto size = file.file_size(gone);
        if (!gone) bytes += static_cast<double>(size);
    }
    return bytes;
}

/// Accounts in a store on disk, the first ones of keys that can sign.
class World {
  public:
    explicit World(std::size_t signers) {
        store_ = *LevelDbStore::open(directory_.path().string(), OpenMode::create_if_missing);
        (void)open_ledger();  // writes genesis
        for (std::size_t i = 0; i < signers; ++i) {
            keys_.push_back(test::numbered_key(static_cast<std::uint32_t>(i)));
            addresses_.push_back(address_of(keys_.back().public_key()));
        }
    }

    [[nodiscard]] TransactionContext context() const {
        return {network_->params(),
                network_->genesis.id,
                network_->spec.network_id,
                9,
                {},
                nullptr,
                nullptr};
    }
    [[nodiscard]] KeyValueStore& store() noexcept { return *store_; }
    /// The chain that the store holds.
    [[nodiscard]] std::unique_ptr<Ledger> open_ledger() const {
        return *Ledger::open(network_, std::make_unique<test::SharedStore>(store_));
    }
    [[nodiscard]] double disk_bytes() const { return directory_bytes(directory_.path()); }

    /// Adds accounts up to this number, as if the tip had.
    void grow(std::size_t accounts) {
        constexpr std::size_t kBulk = 200'000;
        while (accounts_ < accounts) {
            const std::size_t end = std::min(accounts, accounts_ + kBulk);
            StateDiff diff;
            for (; accounts_ < end; ++accounts_) {
                diff.writes.push_back(
                    {account_key(address(accounts_)),
                     std::make_shared<const Bytes>(encode(Account{Amount::of_coins(100), 0}))});
            }
            std::ranges::sort(diff.writes, {}, &StateWrite::key);
            const StoredState stored(store_->snapshot());
            StateTree tree(stored);
            CHECK(tree.apply(diff));
            WriteBatch batch;
            put_state_diff(batch, diff);
            put_tree_changes(batch, tree.changes());
            const Hash256 tip = **BlockReader(*store_).tip();
            BlockIndex index = *BlockReader(*store_).require_index(tip);
            index.state_root = *tree.root();
            BlockWriter(batch).put_index(tip, index);
            CHECK(store_->write(batch, Durability::buffered));
        }
    }

    /// A block's transfers, each of one of the senders from number `first` on.
    [[nodiscard]] std::vector<std::shared_ptr<const SignedTransaction>> transfers(
        std::size_t first) {
        const std::size_t signers = std::min(keys_.size(), accounts_);
        const StoredState state(store_->snapshot());
        std::vector<std::shared_ptr<const SignedTransaction>> made;
        for (std::size_t i = 0; i < kTransfers; ++i) {
            const std::size_t sender = (first + i) % signers;
            const SecretKey& key = keys_[sender];
            auto one = std::make_shared<SignedTransaction>();
            one->network_id = network_->spec.network_id;
            one->sender = key.public_key();
            one->nonce = read_account(state, addresses_[sender])->nonce + i / signers;
            one->action = Transfer{address(random_() % accounts_), Amount::of_units(1000)};
            one->fee = *least_fee(*one, network_->params());
            test::sign(*one, key, network_->genesis.id);
            made.push_back(std::move(one));
        }
        return made;
    }

  private:
    [[nodiscard]] Address address(std::size_t number) const {
        static const TaggedHasher hasher("bench/account");
        if (number < addresses_.size()) return addresses_[number];
        Sha256 state = hasher.start();
        write_integer(state, static_cast<std::uint64_t>(number));
        return {AddressVersion::ed25519, state.digest()};
    }

    TemporaryDirectory directory_;
    std::shared_ptr<const Network> network_ = test::tiny_network();
    std::shared_ptr<LevelDbStore> store_;
    std::vector<SecretKey> keys_;
    std::vector<Address> addresses_;
    std::size_t accounts_ = 0;
    std::mt19937_64 random_{1};
};

using CheckedTransactions = std::vector<CheckedTransaction>;

void apply_all(State& state, const CheckedTransactions& transactions,
               const TransactionContext& context) {
    BlockTally tally;
    for (const CheckedTransaction& one : transactions) {
        const auto admitted = admit_transaction(state, one, context, tally);
        CHECK(admitted);
        CHECK(apply_transaction(state, *admitted, context, tally));
    }
}

double verify_all(const std::vector<std::shared_ptr<const SignedTransaction>>& transfers,
                  const Hash256& genesis) {
    std::vector<Hash256> messages;
    for (const auto& one : transfers) messages.push_back(transaction_message(genesis, *one));
    const Stopwatch watch;
    for (std::size_t i = 0; i < transfers.size(); ++i) {
        CHECK(verify_signature(transfers[i]->sender, messages[i], transfers[i]->signature));
    }
    return watch.cpu_s();
}

// One block on the state, and back.
void run_block(Column& column, World& world, std::size_t round) {
    const auto transfers = world.transfers(round * kTransfers);
    const TransactionContext context = world.context();
    const double verify_s = verify_all(transfers, context.genesis);
    const auto count = static_cast<double>(transfers.size());
    column.add("Ed25519 verification, us", 1e6 * verify_s / count);

    // 1  signatures, then the transfers themselves
    const auto state_reads = std::make_shared<std::size_t>(0);
    const auto node_reads = std::make_shared<std::size_t>(0);
    const auto counted = [&] {
        return std::make_shared<test::CountingView>(
            std::make_shared<test::CountingView>(world.store().snapshot(), 's', state_reads), 'n',
            node_reads);
    };
    const StoredState stored(counted());
    const Hash256 root_before = *StateTree(stored).root();
    const Stopwatch check_watch;
    CheckedTransactions checked;
    for (const auto& one : transfers) checked.push_back(*check_transaction(one, context));
    const double check_s = check_watch.cpu_s();
    const Stopwatch apply_watch;
    State state(stored);
    apply_all(state, checked, context);
    const double apply_s = apply_watch.cpu_s();
    const double apply_reads = static_cast<double>(*state_reads);

    // 2  the block's diff and what undoes it
    const Stopwatch diff_watch;
    const StateDiff diff = *state.diff();
    const double diff_s = diff_watch.cpu_s();
    const double diff_reads = static_cast<double>(*state_reads) - apply_reads;
    const Stopwatch invert_watch;
    const StateDiff undo = *invert(diff, stored);
    const double invert_s = invert_watch.cpu_s();

    // 3  the state root
    *node_reads = 0;
    const Stopwatch root_watch;
    StateTree tree(stored);
    CHECK(tree.apply(diff));
    CHECK(*tree.root() != root_before);
    const double root_s = root_watch.cpu_s();

    // 4  the batch
    Block block;
    for (const auto& one : transfers) block.transactions.push_back({*one});
    const Hash256 id = header_id(block.header);
    const Stopwatch batch_watch;
    WriteBatch batch;
    BlockWriter writer(batch);
    writer.put_block(id, block);
    writer.put_diff(id, undo);
    put_state_diff(batch, diff);
    put_tree_changes(batch, tree.changes());
    const double batch_s = batch_watch.cpu_s();
    const Stopwatch write_watch;
    CHECK(world.store().write(batch, Durability::synced));
    const double write_cpu_s = write_watch.cpu_s();
    const double write_wall_s = write_watch.wall_s();

    // 5  all the way back, as a reorganisation goes
    const Stopwatch undo_watch;
    const StoredState after(world.store().snapshot());
    State back(after);
    const StateDiff stored_undo = *BlockReader(world.store()).require_diff(id);
    const StateDiff redo = *invert(stored_undo, back);
    for (const StateWrite& write : stored_undo.writes) back.set(write.key, write.value);
    const StateDiff net = *back.diff();
    const double undo_s = undo_watch.cpu_s();
    StateTree tree_back(after);
    CHECK(tree_back.apply(net));
    CHECK(*tree_back.root() == root_before);
    WriteBatch batch_back;
    BlockWriter(batch_back).put_diff(id, redo);
    put_state_diff(batch_back, net);
    put_tree_changes(batch_back, tree_back.changes());
    CHECK(world.store().write(batch_back, Durability::synced));
    const double back_s = undo_watch.cpu_s();

    column.add("transfers/s, signatures checked", count / (check_s + apply_s));
    column.add("  / signatures, checked", (check_s + apply_s) / verify_s);
    column.add("transfers/s, not checked", count / apply_s);
    column.add("  / signatures, not checked", apply_s / verify_s);
    column.add("  state reads a transfer", apply_reads / count);
    column.add("entries of the diff", static_cast<double>(diff.writes.size()));
    column.add_ms("apply", apply_s);
    column.add_ms("diff", diff_s);
    column.add("  state reads an entry", diff_reads / static_cast<double>(diff.writes.size()));
    column.add_ms("invert", invert_s);
    column.add_ms("root", root_s);
    column.add("  / signatures, root", root_s / verify_s);
    column.add("  nodes changed", static_cast<double>(tree.changes().size()));
    column.add("  nodes read", static_cast<double>(*node_reads));
    column.add_ms("batch made", batch_s);
    column.add_ms("batch written", write_cpu_s);
    column.add_ms("batch written and synced, wall", write_wall_s);
    column.add_ms("undo: diff", undo_s);
    column.add_ms("undo: all, written", back_s);
    add_bytes(column, batch);
}

// The same kind of block through the ledger, with the smallest model's segment.
void run_whole_block(Column& column, World& world, Ledger& ledger, Trainers& trainers,
                     std::size_t round) {
    TemplateContents contents;
    const auto transfers = world.transfers(round * kTransfers);
    for (const auto& one : transfers) contents.transactions.push_back({*one});
    const double verify_s = verify_all(transfers, world.context().genesis);
    const auto block = test::mine_on(ledger.tip(), trainers, 7, 0, std::move(contents));
    const auto candidate = ledger.admit(block, block->header.tmpl.time_ms);
    CHECK(candidate);
    const Stopwatch verify_watch;
    const auto verified = verify_candidate(*candidate, trainers);
    const double verified_s = verify_watch.cpu_s();
    CHECK(verified);
    const Stopwatch commit_watch;
    CHECK(ledger.commit(*verified));
    const double commit_s = commit_watch.cpu_s();
    column.add_ms("ledger: block verified", verified_s);
    column.add("  / signatures, verified", verified_s / verify_s);
    column.add_ms("ledger: block committed", commit_s);
    column.add("  / signatures, committed", commit_s / verify_s);
    column.add_ms("ledger: block committed, wall", commit_watch.wall_s());
}

Table run_accounts(std::size_t most, std::size_t rounds) {
    Table table{"accounts", true, {}};
    World world(rounds * kTransfers);
    for (std::size_t accounts = 1000; accounts <= most; accounts *= 10) {
        Column column(std::to_string(accounts));
        world.grow(accounts);
        for (std::size_t round = 0; round < rounds; ++round) run_block(column, world, round);
        const auto ledger = world.open_ledger();
        OwnTrainers trainers;
        for (std::size_t round = 0; round < rounds; ++round) {
            run_whole_block(column, world, *ledger, trainers, round);
        }
        column.add("store, MB", 1e-6 * world.disk_bytes());
        column.add("store, bytes an account", world.disk_bytes() / static_cast<double>(accounts));
        table.columns.push_back(std::move(column));
    }
    return table;
}

// ----------------------------------------------------------------------------------------- blocks

/// Remembers the last batch that was written to a store.
class RecordingStore final : public KeyValueStore {
  public:
    RecordingStore(std::unique_ptr<KeyValueStore> behind, std::shared_ptr<WriteBatch> last)
        : behind_(std::move(behind)), last_(std::move(last)) {}

    [[nodiscard]] Result<std::optional<Bytes>, StoreError> get(ByteSpan key) const override {
        return behind_->get(key);
    }
    [[nodiscard]] Result<void, StoreError> scan(ByteSpan prefix,
                                                const KeyValueVisitor& visit) const override {
        return behind_->scan(prefix, visit);
    }
    [[nodiscard]] Result<void, StoreError> write(const WriteBatch& batch,
                                                 Durability durability) override {
        *last_ = batch;
        return behind_->write(batch, durability);
    }
    [[nodiscard]] std::shared_ptr<const KeyValueView> snapshot() const override {
        return behind_->snapshot();
    }

  private:
    std::unique_ptr<KeyValueStore> behind_;
    std::shared_ptr<WriteBatch> last_;
};

struct Plan {
    std::string title;
    bool is_tiny = false;
    std::size_t lanes = 1;      ///< each but the winner's makes a share, unless it has no hit
    std::uint32_t units = 100;  ///< of a lane, on average
};

std::shared_ptr<const Network> network_of(const Plan& plan) {
    ChainSpec spec = plan.is_tiny
                         ? test::tiny_spec()
                         : default_chain_spec("bench", test::tiny_text(), test::kGenesisTime, 0);
    const auto lanes = static_cast<std::uint32_t>(plan.lanes);
    const U256 ticket(unit_work(genesis_task(spec)));
    const U256 target =
        divide(divide(U256::max(), U256(plan.units * lanes)).quotient, ticket).quotient;
    spec.params.anchor.bits = to_compact(target);
    spec.params.half_life_ms = std::uint64_t{1} << 40U;  // difficulty stands still
    spec.params.work.hits_per_win = 64;
    spec.params.work.units_per_hit = std::max({1U, plan.units / 10, plan.units * lanes / 44});
    auto network = make_network(spec);
    CHECK(network);
    return *std::move(network);
}

// Verifies a block on the tip, stage by stage.
VerifiedBlock verify(Column& column, const Candidate& candidate, Trainers& trainers) {
    const BlockContext context = candidate.context(trainers);
    double checks_s = 0;
    double replays_s = 0;
    std::size_t replays = 0;
    BlockVerifier verifier(candidate.block(), candidate.header(), context);
    for (;;) {
        const Stopwatch check_watch;
        const auto jobs = verifier.next();
        checks_s += check_watch.cpu_s();
        CHECK(jobs);
        if (jobs->empty()) break;
        const Stopwatch replay_watch;
        std::vector<ReplayedUnit> replayed;
        for (const ReplayJob& job : *jobs) {
            auto replay = replay_opening(job.segment, job.opening, trainers.trainer_of(job.task));
            CHECK(replay);
            replayed.push_back(*std::move(replay));
        }
        replays += jobs->size();
        replays_s += replay_watch.cpu_s();
        const Stopwatch take_watch;
        CHECK(verifier.take(std::move(replayed)));
        checks_s += take_watch.cpu_s();
    }
    const Stopwatch finish_watch;
    auto judged = verifier.finish();
    const double finish_s = finish_watch.cpu_s();
    CHECK(judged);
    const Stopwatch root_watch;
    auto verified = finish_candidate(candidate, *std::move(judged));
    const double root_s = root_watch.cpu_s();
    CHECK(verified);

    // The settlement once more, alone: it is part of the checks.
    double settle_s = 0;
    const auto pending = read_entry<PendingRound>(context.view, pending_round_key());
    CHECK(pending);
    if (*pending) {
        Contributions contributions(context.view);
        std::vector<Hash256> listed;
        for (const CheckedSegment& share : verifier.proven()) {
            if (share.tmpl().height == candidate.header().header().tmpl.height) continue;
            const auto proven =
                verify_segment(share, trainers.trainer_of(context.tasks.find(share.tmpl().task)));
            CHECK(proven);
            contributions.add(outcome_of(*proven, 0));
            listed.push_back(share.id());
        }
        const Stopwatch settle_watch;
        CHECK(settle_pending(context.view, **pending, candidate.header().header().tmpl.parent,
                             listed, contributions, {context.params, context.tasks, trainers}));
        settle_s = settle_watch.cpu_s();
    }
    column.add_ms("checks", checks_s - settle_s);
    column.add_ms("settlement", settle_s);
    column.add_ms("replays", replays_s);
    column.add_ms("  each", replays_s / static_cast<double>(replays));
    column.add_ms("apply, with the probe unit", finish_s);
    column.add_ms("index and root", root_s);
    column.add_ms("verification in all", checks_s + replays_s + finish_s + root_s);
    return *std::move(verified);
}

void add_shape(Column& column, const Block& block) {
    std::size_t openings = 0;
    std::size_t units = 0;
    std::size_t opening_bytes = 0;
    const auto add = [&](const SegmentBody& body) {
        units += body.units();
        openings += body.openings.size();
        for (const Opening& opening : body.openings) opening_bytes += encoded_size(opening);
    };
    add(block.winner);
    for (const Segment& segment : block.listed) add(segment.body);
    column.add("shares", static_cast<double>(block.listed.size()));
    column.add("units of a segment",
               static_cast<double>(units) / static_cast<double>(1 + block.listed.size()));
    column.add("openings", static_cast<double>(openings));
    column.add("  bytes of one",
               static_cast<double>(opening_bytes) / static_cast<double>(openings));
}

Column run_blocks(const Plan& plan, std::uint64_t blocks, std::size_t rounds) {
    Column column(plan.title);
    const auto network = network_of(plan);
    std::vector<test::SimulatedMiner> miners;
    for (std::size_t i = 0; i < plan.lanes; ++i) {
        miners.push_back({.key = static_cast<std::uint8_t>(i + 1)});
    }
    test::LaneNetwork mined(network, miners);
    const TemporaryDirectory directory;
    const auto batch = std::make_shared<WriteBatch>();
    const auto ledger = *Ledger::open(
        network,
        std::make_unique<RecordingStore>(
            *LevelDbStore::open(directory.path().string(), OpenMode::create_if_missing), batch));
    OwnTrainers trainers;
    for (std::uint64_t height = 1; height <= blocks; ++height) {
        mined.mine_block();
        const auto block =
            std::make_shared<const Block>(**mined.ledger().block(**mined.ledger().id_at(height)));
        const Stopwatch admit_watch;
        const auto candidate = ledger->admit(block, static_cast<std::uint64_t>(mined.now_ms()));
        const double admit_s = admit_watch.cpu_s();
        CHECK(candidate);
        Column ignored("");
        // Block 1 settles nothing.
        Column& noted = height == 1 && blocks > 1 ? ignored : column;
        add_shape(noted, *block);
        noted.add_ms("header, state and tasks loaded", admit_s);
        std::optional<VerifiedBlock> verified;
        for (std::size_t round = 0; round < rounds; ++round) {
            verified = verify(noted, *candidate, trainers);
        }
        const Stopwatch commit_watch;
        CHECK(ledger->commit(*verified));
        noted.add_ms("commit", commit_watch.cpu_s());
        noted.add_ms("commit, wall", commit_watch.wall_s());
        add_bytes(noted, *batch);
    }
    return column;
}

Table run_blocks(std::uint32_t units, std::uint64_t blocks, std::size_t rounds) {
    Table table{"blocks", false, {}};
    const std::vector<Plan> plans{{"tiny, 1", true, 1, 32},
                                  {"tiny, 22", true, 22, 32},
                                  {"default, 1", false, 1, units},
                                  {"default, 7", false, 7, units},
                                  {"default, 22", false, 22, units}};
    for (const Plan& plan : plans) table.columns.push_back(run_blocks(plan, blocks, rounds));
    return table;
}

}  // namespace
}  // namespace gradient::chain

int main(int argc, char** argv) {
    using namespace gradient;
    CLI::App app{"What the ledger costs, by accounts in the state and by kind of block"};
    std::size_t accounts = 1'000'000;
    std::size_t rounds = 7;
    std::uint32_t units = 100;
    std::uint64_t blocks = 4;
    std::string only;
    bool json = false;
    app.add_option("--accounts", accounts, "Accounts of the largest state")
        ->check(CLI::Range(1000, 100'000'000));
    app.add_option("--rounds", rounds, "Rounds of which the median is taken")
        ->check(CLI::Range(1, 100));
    app.add_option("--units", units, "Mean units of a lane of the default network")
        ->check(CLI::Range(10, 4000));
    app.add_option("--blocks", blocks, "Blocks mined of each kind")->check(CLI::Range(1, 100));
    app.add_option("--only", only, "One of the tables")
        ->check(CLI::IsMember({"accounts", "blocks"}));
    app.add_flag("--json", json, "Print one JSON object");
    CLI11_PARSE(app, argc, argv);

    std::vector<chain::Table> tables;
    if (only != "blocks") tables.push_back(chain::run_accounts(accounts, rounds));
    if (only != "accounts") tables.push_back(chain::run_blocks(units, blocks, rounds));
    boost::json::object all;
    for (const chain::Table& table : tables) {
        if (json)
            all[table.title] = chain::json_of(table);
        else
            chain::print(table);
    }
    if (json) std::cout << all << '\n';
    return 0;
}
