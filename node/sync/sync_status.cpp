#include "node/sync/sync_status.hpp"

namespace gradient::node {

namespace {

using std::to_string;

std::string name(PeerId peer) {
    return "peer " + to_string(static_cast<std::uint64_t>(peer));
}

struct Sentence {
    std::string operator()(const sync_state::NoPeers&) const { return "no peers"; }
    std::string operator()(const sync_state::InSync&) const {
        return "in step: no peer claims more work";
    }
    std::string operator()(const sync_state::WaitingForHeaders& state) const {
        return "waiting for headers from " + name(state.peer);
    }
    std::string operator()(const sync_state::Downloading& state) const {
        return "fetching blocks " + to_string(state.from_height) + " to " +
               to_string(state.to_height) + " from " + to_string(state.peers) +
               (state.peers == 1 ? " peer" : " peers");
    }
    std::string operator()(const sync_state::Verifying& state) const {
        return "verifying block " + to_string(state.height);
    }
    std::string operator()(const sync_state::AllPeersRefused& state) const {
        return "peers claim more work, and what they showed for it was refused: " +
               describe(state.last);
    }
    std::string operator()(const sync_state::Stalled& state) const {
        return name(state.peer) + " does not send what it was asked for";
    }
    std::string operator()(const sync_state::OwnFailure& state) const {
        return "this node could not judge a block: " + chain::describe(state.last);
    }
    std::string operator()(const sync_state::NoSource& state) const {
        return "no peer has sent block " + to_string(state.height) + " yet";
    }
};

}  // namespace

std::string describe(const SyncState& state) {
    return std::visit(Sentence{}, state);
}

}  // namespace gradient::node
