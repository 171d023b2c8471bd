#pragma once

#include "chain/crypto/key.hpp"
#include "chain/ledger.hpp"
#include "node/concurrency/event.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/network/caught_up.hpp"
#include "node/network/peer_figures.hpp"
#include "node/network/session.hpp"
#include "node/p2p/address_book.hpp"
#include "node/p2p/ban_list.hpp"
#include "node/p2p/dial_plan.hpp"
#include "node/p2p/identity.hpp"
#include "node/p2p/listener.hpp"
#include "node/p2p/moment.hpp"
#include "node/p2p/peer_set.hpp"
#include "node/p2p/penalties.hpp"
#include "node/p2p/traffic.hpp"
#include "node/setup/settings.hpp"
#include "node/sync/block_sync.hpp"
#include "node/sync/chain_server.hpp"
#include "node/sync/history_server.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/relay.hpp"
#include "node/sync/snapshot_shelf.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradient::node {

static_assert(PeerSettings::kDefaultPort == kDefaultPeerPort);

/// The node among its peers: takes and makes connections, gives every message to whom it concerns
/// (sync, relay, the address book), and carries out what these want. Lives on the ledger's strand,
/// whose data sync and relay read; verdicts of the ledger come back on it.
class PeerService {
  public:
    /// Messages' work that is under way: blocks, shares and transactions being judged.
    static constexpr std::size_t kMaxJudgements = 1024;
    /// How often timeouts and calls to make are looked at.
    static constexpr std::chrono::milliseconds kTick{50};
    /// How often addresses and bans are saved.
    static constexpr std::chrono::minutes kSaveInterval{5};
    /// Between two lines of the log on the same offence of one peer.
    static constexpr std::chrono::seconds kLogInterval{10};
    /// Connections that end: time to say goodbye to all.
    static constexpr std::chrono::seconds kClosingTime{3};

    /// Where this service keeps what it knows.
    struct Files {
        std::filesystem::path addresses;
        std::filesystem::path bans;
        std::filesystem::path snapshots;
    };

    /// What a user reads of a ban.
    struct BanView {
        std::string who;
        std::uint64_t until_s = 0;
        std::string reason;
    };

    /// References must outlive this. Throws Failure(network) if it can't listen.
    PeerService(LedgerService& ledger, WorkerPool& pool, const chain::SecretKey& identity,
                const PeerSettings& settings, Files files);
    PeerService(const PeerService&) = delete;
    PeerService& operator=(const PeerService&) = delete;

    /// Where it takes connections, if it does.
    [[nodiscard]] std::optional<Endpoint> endpoint() const;

    /// Called once on the strand, when this node has caught up with its peers: work on its tip is
    /// no longer work for nothing.
    void on_caught_up(std::function<void()> listener) { on_caught_up_ = std::move(listener); }
    /// Called on the strand for each peer that comes or goes.
    void on_peer(std::function<void(const PeerChange&)> listener) {
        on_peer_ = std::move(listener);
    }
    /// Who says whether this node mines.
    void ask_mining(std::function<bool()> query) { is_mining_ = std::move(query); }

    /// Connects and serves until cancelled. On the strand.
    Task<> run();
    /// Says goodbye to all. On the strand, after run() has ended.
    Task<> close();

    [[nodiscard]] LedgerService& ledger() noexcept { return ledger_; }

    // ---- on the strand only, for the user
    [[nodiscard]] std::vector<PeerFigures> peers() const;
    [[nodiscard]] NetworkFigures figures() const;
    [[nodiscard]] StuckReport why_stuck() const;
    [[nodiscard]] std::vector<BanView> bans() const;
    /// Calls a peer and keeps it; false if the text is no HOST:PORT.
    bool connect(const std::string& host_port);
    /// False if there is no such peer.
    bool disconnect(PeerId peer);
    /// Bans a node (64 hexadecimal digits) or address; false if the text is neither.
    bool ban(const std::string& who, std::chrono::seconds duration);
    /// False if there is no such ban.
    bool unban(const std::string& who);
    [[nodiscard]] std::size_t connected() const noexcept { return sessions_.size(); }
    /// Whether mining may begin.
    [[nodiscard]] bool has_caught_up() const noexcept { return caught_up_.is_done(); }

  private:
    friend class MessageHandler;

    [[nodiscard]] SyncOutlets outlets();
    [[nodiscard]] TipClaim our_claim() const;
    [[nodiscard]] Hello our_hello() const;
    [[nodiscard]] static Moment moment();

    // ---- connections
    Task<> take_call(asio::ip::tcp::socket socket);
    /// What a call has come to.
    struct Called {
        DialOutcome outcome = DialOutcome::failed;
        std::optional<NodeId> node;
        std::uint32_t services = 0;
    };
    Task<> call(DialOrder order);
    Task<Called> call_endpoint(PeerKind kind, Endpoint endpoint);
    Task<> ask_seeds(std::vector<HostPort> seeds);
    Task<std::optional<GoodbyeReason>> admit(std::unique_ptr<Connection> connection, Hello hello,
                                             PeerKind kind);
    Task<> hold(std::shared_ptr<Session> session);
    Task<> converse(Session& session);
    Task<> read_messages(Session& session);
    Task<> wait_for_end(Session& session);
    Task<> listen();
    void joined(Session& session, PeerKind kind);
    void left(Session& session);
    void tell(PeerChange::Kind kind, const Session& session) const;
    void end(const std::optional<Departure>& departure);
    [[nodiscard]] Session* find(PeerId peer) const;

    // ---- outlets of sync and relay
    void send(PeerId peer, const Message& message);
    void report(PeerId peer, const Offence& offence);
    void note_tip(PeerId peer, const TipClaim& tip, SteadyTime now);
    void judge_block(PeerId peer, std::shared_ptr<const chain::Block> block,
                     const chain::U256& branch_work);
    void judge_share(PeerId peer, std::shared_ptr<const chain::Segment> share);
    void judge_transaction(PeerId peer,
                           std::shared_ptr<const chain::SignedTransaction> transaction);

    // ---- time
    Task<> keep_time();
    void tick();
    void make_calls(Moment now);
    void ping_peers(Moment now);
    void look_whether_caught_up(Moment now);
    void shelve_snapshot();
    void save();

    void tip_changed(const chain::TipChange& change);

    LedgerService& ledger_;
    WorkerPool& pool_;
    Identity identity_;
    PeerSettings settings_;
    Files files_;
    BanList bans_;
    PenaltyLedger penalties_;
    std::optional<AddressBook> book_;
    std::vector<Endpoint> anchors_;
    std::optional<PeerSet> set_;
    std::optional<DialPlan> plan_;
    std::optional<Listener> listener_;
    RelayView view_;
    SyncOutlets outlets_;
    BlockSync sync_;
    ChainServer server_;
    HistoryServer history_;
    Relay relay_;
    SnapshotShelf shelf_;
    CaughtUp caught_up_;
    std::function<void()> on_caught_up_;
    std::function<void(const PeerChange&)> on_peer_;
    std::function<bool()> is_mining_;
    std::map<PeerId, std::shared_ptr<Session>> sessions_;
    std::map<std::string, std::uint64_t> offences_;
    Traffic gone_sent_;  // of connections that have ended
    Traffic gone_received_;
    std::uint64_t next_peer_ = 1;
    SteadyTime tip_since_;
    std::optional<SteadyTime> last_news_;  // a peer told of a block that is not stored here
    SteadyTime next_save_;
    bool shelving_ = false;
    bool closing_ = false;
    TaskGroup calls_;
    TaskGroup held_;
    TaskGroup judgements_;
};

}  // namespace gradient::node
