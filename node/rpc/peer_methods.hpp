#pragma once

#include "node/network/peer_service.hpp"
#include "node/rpc/json_rpc.hpp"

namespace gradient::node {

/// peers, network, why_stuck, connect_peer, disconnect_peer, ban, unban, bans. The service must
/// outlive the dispatcher.
void add_peer_methods(RpcDispatcher& dispatcher, PeerService& service);

/// What the node waits for, as `status` and `why_stuck` tell it.
[[nodiscard]] json::object stuck_view(const StuckReport& report);
[[nodiscard]] Schema stuck_schema();

}  // namespace gradient::node
