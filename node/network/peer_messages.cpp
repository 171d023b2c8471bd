// What the peer service does with each message, and with what sync and relay want.
#include "node/network/peer_service.hpp"
#include "node/setup/clock.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <span>
#include <utility>
#include <variant>

namespace gradient::node {

namespace {

Verdict verdict_of(const ShareVerdict& verdict) {
    if (const auto* kept = std::get_if<ShareKept>(&verdict)) return Accepted{kept->segment};
    if (std::holds_alternative<ShareHeld>(verdict)) return Held{};
    if (std::holds_alternative<ShareKnown>(verdict))
        return Refused{chain::ShareRefusal::already_pooled};
    if (const auto* error = std::get_if<chain::SubmitError>(&verdict)) return Refused{*error};
    return Refused{std::get<chain::ShareRefusal>(verdict)};
}

// Something that was not judged for want of room: nobody is to blame.
chain::SubmitError no_room() {
    return chain::StoreError{chain::StoreFault::failed, "too much is being judged already"};
}

}  // namespace

/// Gives each message to whom it concerns. One overload for each: a new message does not compile
/// before it is decided what becomes of it.
class MessageHandler {
  public:
    MessageHandler(PeerService& service, Session& session)
        : service_(service),
          session_(session),
          peer_(session.id),
          now_(std::chrono::steady_clock::now()) {}

    // ---- connection
    void operator()(const Hello&) { service_.report(peer_, ProtocolOffence::second_hello); }
    void operator()(const Ping& message) {
        service_.note_tip(peer_, message.tip, now_);
        service_.sync_.on_claim(peer_, message.tip, now_);
        service_.relay_.on_claim(peer_, message.tip);
        service_.send(peer_, Pong{message.nonce});
    }
    void operator()(const Pong& message) {
        if (!session_.ping_sent || message.nonce != session_.ping_nonce) return;
        const auto time = now_ - *session_.ping_sent;
        session_.ping = std::chrono::duration_cast<std::chrono::milliseconds>(time);
        service_.set_->note_ping(peer_,
                                 std::chrono::duration_cast<std::chrono::microseconds>(time));
    }
    void operator()(const Goodbye& message) {
        spdlog::debug("peer {} says goodbye, reason {}", number_of(peer_),
                      static_cast<int>(message.reason));
        session_.end(GoodbyeReason::shutdown);
    }

    // ---- addresses
    void operator()(const GetAddresses&) {
        if (!service_.set_->take_answer(peer_)) return;
        Addresses answer;
        answer.addresses = service_.book_->answer(session_.connection->remote_endpoint().address(),
                                                  PeerService::moment().unix_s);
        if (answer.addresses.size() > kMaxAddressesPerMessage)
            answer.addresses.resize(kMaxAddressesPerMessage);
        service_.send(peer_, std::move(answer));
    }
    void operator()(const Addresses& message) {
        const std::size_t count =
            service_.set_->allow_addresses(peer_, message.addresses.size(), now_);
        service_.book_->add(session_.connection->remote_endpoint().address(),
                            std::span(message.addresses).first(count),
                            PeerService::moment().unix_s);
    }

    // ---- headers and blocks
    void operator()(const Announce& message) {
        const auto id = chain::header_id(message.header);
        service_.note_tip(peer_, {message.header.tmpl.height, id, message.cumulative_work}, now_);
        const auto outcome = service_.relay_.on_announce(peer_, message, now_, now_ms());
        if (outcome == AnnounceOutcome::fetching || outcome == AnnounceOutcome::waiting)
            service_.sync_.left_to_relay(id, now_);
        service_.sync_.on_announce(peer_, message, now_);
        if (outcome == AnnounceOutcome::headers_needed)
            service_.sync_.announced_unknown_parent(peer_, now_);
    }
    void operator()(const GetHeaders& message) {
        service_.server_.on_get_headers(peer_, message, now_);
    }
    void operator()(const Headers& message) {
        service_.sync_.on_headers(peer_, message, now_, now_ms());
    }
    void operator()(const GetBlock& message) {
        // What is new the relay has at hand, or has it alone: proven and not stored yet.
        if (service_.relay_.on_get_block(peer_, message, now_) == Served::no)
            service_.server_.on_get_block(peer_, message, now_);
    }
    void operator()(BlockMessage& message) {
        if (service_.relay_.on_block(peer_, message) == Asked::yes) return;
        service_.sync_.on_block(
            peer_, std::make_shared<const chain::Block>(std::move(message.block)), now_);
    }
    void operator()(const GetOutline& message) {
        service_.relay_.on_get_outline(peer_, message, now_);
    }
    void operator()(Outline& message) {
        service_.relay_.on_outline(peer_, std::move(message), now_);
    }
    void operator()(const GetParts& message) { service_.relay_.on_get_parts(peer_, message, now_); }
    void operator()(Parts& message) { service_.relay_.on_parts(peer_, std::move(message), now_); }

    // ---- transactions and shares
    void operator()(const Inventory& message) {
        service_.relay_.on_inventory(peer_, message, now_);
    }
    void operator()(const GetItems& message) { service_.relay_.on_get_items(peer_, message, now_); }
    void operator()(TransactionMessage& message) {
        service_.relay_.on_transaction(peer_, std::move(message), now_);
    }
    void operator()(ShareMessage& message) {
        service_.relay_.on_share(peer_, std::move(message), now_);
    }
    void operator()(const NotFound& message) {
        service_.relay_.on_not_found(peer_, message, now_);
        service_.sync_.on_not_found(peer_, message, now_);
    }

    // ---- history
    void operator()(const GetSamples& message) {
        service_.history_.on_get_samples(peer_, message, now_);
    }
    void operator()(const Samples&) { unsolicited(); }
    void operator()(const GetTail& message) { service_.history_.on_get_tail(peer_, message, now_); }
    void operator()(const Tail&) { unsolicited(); }
    void operator()(const GetEvidence& message) {
        service_.history_.on_get_evidence(peer_, message, now_);
    }
    void operator()(const Evidence&) { unsolicited(); }
    void operator()(const GetTaskData& message) {
        service_.history_.on_get_task_data(peer_, message, now_);
    }
    void operator()(const TaskData&) { unsolicited(); }
    void operator()(const GetSnapshot&) { service_.send(peer_, service_.shelf_.offer()); }
    void operator()(const SnapshotOffer&) { unsolicited(); }
    void operator()(const GetSnapshotPart& message) {
        SnapshotPart part{message.part, {}};
        if (session_.connection->queued_bytes() < kSendQueueBusyBytes)
            part.bytes = service_.shelf_.part(message.part);
        service_.send(peer_, std::move(part));
    }
    void operator()(const SnapshotPart&) { unsolicited(); }

  private:
    void unsolicited() { service_.report(peer_, ProtocolOffence::unsolicited); }

    PeerService& service_;
    Session& session_;
    PeerId peer_;
    SteadyTime now_;
};

Task<> PeerService::read_messages(Session& session) {
    for (;;) {
        Message message = co_await session.connection->receive();
        set_->note_heard(session.id, std::chrono::steady_clock::now());
        session.message_bytes = session.connection->reader().last_frame_bytes();
        std::visit(MessageHandler(*this, session), message);
        session.message_bytes = 0;
    }
}

SyncOutlets PeerService::outlets() {
    SyncOutlets outlets;
    outlets.send = [this](PeerId peer, const Message& message) { send(peer, message); };
    outlets.report = [this](PeerId peer, const Offence& offence) { report(peer, offence); };
    outlets.submit_block = [this](PeerId peer, std::shared_ptr<const chain::Block> block,
                                  const chain::U256& branch_work) {
        judge_block(peer, std::move(block), branch_work);
    };
    outlets.submit_share = [this](PeerId peer, std::shared_ptr<const chain::Segment> share) {
        judge_share(peer, std::move(share));
    };
    outlets.submit_transaction =
        [this](PeerId peer, std::shared_ptr<const chain::SignedTransaction> transaction) {
            judge_transaction(peer, std::move(transaction));
        };
    outlets.queued_bytes = [this](PeerId peer) -> std::size_t {
        const Session* const session = find(peer);
        return session == nullptr ? 0 : session->connection->queued_bytes();
    };
    outlets.received_bytes = [this](PeerId peer) -> std::uint64_t {
        const Session* const session = find(peer);
        return session == nullptr ? 0 : session->connection->reader().received_bytes();
    };
    return outlets;
}

void PeerService::send(PeerId peer, const Message& message) {
    Session* const session = find(peer);
    if (session == nullptr || session->reason) return;
    if (session->connection->send(message) == SendOutcome::too_slow)
        session->end(GoodbyeReason::too_slow);
}

void PeerService::report(PeerId peer, const Offence& offence) {
    Session* const session = find(peer);
    const Penalty penalty = penalty_for(offence);
    if (penalty.cost == 0 || session == nullptr || session->reason) return;
    ++offences_[penalty.reason];
    const Moment now = moment();
    // A flood of offences must not become one of lines in the log.
    const auto [logged, is_new] = session->logged.try_emplace(penalty.reason, now.steady);
    if (is_new || now.steady - logged->second > kLogInterval) {
        logged->second = now.steady;
        spdlog::info("peer {}: {}", number_of(peer), penalty.reason);
    }
    end(set_->punish(peer, offence, now, std::exchange(session->message_bytes, 0)));
}

void PeerService::note_tip(PeerId peer, const TipClaim& tip, SteadyTime now) {
    const Peer* const known = set_->find(peer);
    if (known != nullptr && known->tip.id != tip.id) {
        const auto stored = ledger_.ledger().index(tip.id);
        if (stored && !*stored) last_news_ = now;
    }
    set_->note_tip(peer, tip);
}

void PeerService::judge_block(PeerId peer, std::shared_ptr<const chain::Block> block,
                              const chain::U256& branch_work) {
    const auto id = chain::header_id(block->header);
    const auto told = [](PeerService& self, PeerId its_peer, const chain::Hash256& its_id,
                         const LedgerService::SubmitResult& result) {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (result) self.set_->note_merit(its_peer, Merit::block, now);
        self.sync_.block_judged(its_peer, its_id, result, now);
        self.relay_.block_judged(its_peer, its_id, result, now, now_ms());
    };
    const auto judge = [told](PeerService& self, PeerId its_peer, chain::Hash256 its_id,
                              std::shared_ptr<const chain::Block> its_block,
                              chain::U256 its_work) -> Task<> {
        const auto result = co_await self.ledger_.submit(std::move(its_block), its_work);
        told(self, its_peer, its_id, result);
    };
    if (judgements_.spawn(judge(*this, peer, id, std::move(block), branch_work))) return;
    asio::post(ledger_.strand(), [this, told, peer, id] {
        if (!closing_) told(*this, peer, id, chain::fail(no_room()));
    });
}

void PeerService::judge_share(PeerId peer, std::shared_ptr<const chain::Segment> share) {
    const auto told = [](PeerService& self, PeerId its_peer, const SharedSegment& its_share,
                         const Verdict& verdict) {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (std::holds_alternative<Accepted>(verdict))
            self.set_->note_merit(its_peer, Merit::share, now);
        self.relay_.share_judged(its_peer, its_share, verdict, now);
    };
    const auto judge = [told](PeerService& self, PeerId its_peer,
                              SharedSegment its_share) -> Task<> {
        const auto verdict = co_await self.ledger_.submit_share(its_share);
        told(self, its_peer, its_share, verdict_of(verdict));
    };
    if (judgements_.spawn(judge(*this, peer, share))) return;
    asio::post(ledger_.strand(), [this, told, peer, share] {
        if (!closing_) told(*this, peer, share, Refused{no_room()});
    });
}

void PeerService::judge_transaction(PeerId peer,
                                    std::shared_ptr<const chain::SignedTransaction> transaction) {
    const auto told = [](PeerService& self, PeerId its_peer, const chain::Hash256& id,
                         const Verdict& verdict) {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (std::holds_alternative<Accepted>(verdict))
            self.set_->note_merit(its_peer, Merit::transaction, now);
        self.relay_.transaction_judged(its_peer, id, verdict, now);
    };
    const auto judge = [told](PeerService& self, PeerId its_peer, chain::Hash256 id,
                              SharedTransaction its_transaction) -> Task<> {
        const auto result = co_await self.ledger_.submit_transaction(std::move(its_transaction));
        told(self, its_peer, id, result ? Verdict(Accepted{*result}) : Refused{result.error()});
    };
    const auto id = chain::transaction_id(*transaction);
    if (judgements_.spawn(judge(*this, peer, id, std::move(transaction)))) return;
    asio::post(ledger_.strand(), [this, told, peer, id] {
        if (!closing_) told(*this, peer, id, Refused{no_room()});
    });
}

}  // namespace gradient::node
