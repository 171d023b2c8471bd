#include "node/network/stuck_report.hpp"

#include <fmt/format.h>

#include <utility>
#include <variant>

namespace gradient::node {

namespace {

// Adds a state's sentences to the report.
class Explain {
  public:
    Explain(const StuckFacts& facts, StuckReport& report) : facts_(facts), report_(report) {}

    void operator()(const sync_state::NoPeers&) const {
        report_.state = "no_peers";
        if (facts_.is_calling) {
            report_.waiting_for = "A first peer: the known addresses are being called.";
            report_.advice =
                "If this lasts, check that one of them runs, that its port is open, and that it is "
                "of the same network (`gradient status` of both shows the same genesis).";
        } else {
            report_.waiting_for = "Somebody to connect: this node knows no address to call.";
            report_.advice =
                "Name a peer with --connect HOST:PORT or `gradient peers add HOST:PORT`. A node "
                "that is meant to be alone needs nothing.";
        }
        report_.is_stuck = !facts_.is_mining;
    }
    void operator()(const sync_state::InSync&) const {
        report_.state = "in_sync";
        report_.waiting_for = fmt::format("The next block, number {}.", facts_.tip_height + 1);
        if (has_moved_lately()) return;
        report_.is_stuck = true;
        report_.waiting_for +=
            fmt::format(" None has come for {} s, {} intervals.", facts_.tip_age_ms / 1000,
                        facts_.tip_age_ms / facts_.interval_ms);
        report_.advice = advice_on_quiet();
    }
    void operator()(const sync_state::WaitingForHeaders& state) const {
        report_.state = "headers";
        report_.peer = state.peer;
        report_.waiting_for =
            fmt::format("Headers from peer {}, which claims more work, up to height {}.",
                        number_of(state.peer), facts_.sync.best_claimed_height);
        report_.advice = "Nothing: if it does not answer it is given up and another is asked.";
    }
    void operator()(const sync_state::Downloading& state) const {
        report_.state = "downloading";
        report_.waiting_for = fmt::format(
            "Blocks {} to {} from {} peer(s); {:.1f} blocks a second of late.", state.from_height,
            state.to_height, state.peers, facts_.sync.blocks_per_second);
        report_.advice = "Time.";
    }
    void operator()(const sync_state::Verifying& state) const {
        report_.state = "verifying";
        report_.waiting_for = fmt::format(
            "This machine's processors: block {} is being replayed; {:.1f} blocks a second of "
            "late.",
            state.height, facts_.sync.blocks_per_second);
        report_.advice = "Time, or more --threads.";
    }
    void operator()(const sync_state::AllPeersRefused& state) const {
        report_.state = "all_refused";
        report_.is_stuck = true;
        report_.rule = describe(state.last);
        report_.waiting_for =
            "A peer whose chain holds: every one that claims more work has shown something that "
            "breaks a rule.";
        report_.advice =
            "If honest peers are refused, this program is older than the network's rules, or its "
            "clock is wrong; else nothing: the tip is the best chain that was proved.";
    }
    void operator()(const sync_state::Stalled& state) const {
        report_.state = "stalled";
        report_.is_stuck = true;
        report_.peer = state.peer;
        const auto late =
            std::chrono::duration_cast<std::chrono::seconds>(facts_.now - state.since).count();
        report_.waiting_for =
            fmt::format("What peer {} was asked for {} s ago.", number_of(state.peer), late);
        report_.advice =
            "Nothing if there are other peers: they are asked next. Else check the connection, or "
            "name another peer with `gradient peers add HOST:PORT`.";
    }
    void operator()(const sync_state::OwnFailure& state) const {
        report_.state = "own_failure";
        report_.is_stuck = true;
        report_.rule = chain::describe(state.last);
        report_.waiting_for = "Itself: this node could not judge the next block, and tries again.";
        report_.advice = "See the log for the cause; a full disk or too little memory is likely.";
    }
    void operator()(const sync_state::NoSource& state) const {
        report_.state = "no_source";
        report_.waiting_for = fmt::format(
            "Block {}, which none of the peers that claim more work will send.", state.height);
        // A peer that had a block a moment ago may have left its branch.
        if (has_moved_lately()) {
            report_.advice = "Time: peers are asked again when they tell of more.";
            return;
        }
        report_.is_stuck = true;
        report_.advice =
            "They have pruned it, or hold it back: name an archive with `gradient peers add "
            "HOST:PORT`, or start anew from a snapshot.";
    }

  private:
    [[nodiscard]] bool has_moved_lately() const {
        return facts_.tip_age_ms < kQuietIntervals * facts_.interval_ms;
    }
    [[nodiscard]] const char* advice_on_quiet() const {
        const bool has_news =
            facts_.news_age_ms && *facts_.news_age_ms < kQuietIntervals * facts_.interval_ms;
        if (has_news) {
            return "Peers tell of blocks that this node has not taken, so somebody mines, on a "
                   "chain with less work or one that was refused here: compare tips with somebody "
                   "else's.";
        }
        if (facts_.is_mining) {
            return "This node mines, and no peer tells of a block either. If it goes on, the "
                   "network has lost most of its miners, or this node its part of the network: "
                   "compare tips with somebody else's.";
        }
        return "No peer tells of a block either, and this node does not mine. If nobody else does, "
               "`gradient mine start` helps.";
    }

    const StuckFacts& facts_;
    StuckReport& report_;
};

}  // namespace

StuckReport explain(const StuckFacts& facts) {
    StuckReport report;
    std::visit(Explain(facts, report), facts.sync.state);
    if (facts.is_waiting_to_mine) {
        report.waiting_for += " Mining, if it is to be on, begins once this node has caught up.";
    }
    return report;
}

}  // namespace gradient::node
