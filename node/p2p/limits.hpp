#pragma once

// Every limit of the peer-to-peer protocol that is this node's own choice, with its unit. None is a
// rule of the chain: nodes with other limits understand each other.

#include "chain/types/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gradient::node {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers)

// ---- connections
inline constexpr std::uint16_t kDefaultPeerPort = 9421;
/// Connections that this node opens and keeps.
inline constexpr std::size_t kMaxOutbound = 8;
/// Connections that others have opened.
inline constexpr std::size_t kMaxInbound = 64;
/// TLS and hello of a new connection, together.
inline constexpr auto kHandshakeTimeout = 10s;
/// TCP connect.
inline constexpr auto kConnectTimeout = 5s;
/// Inbound connections whose handshake has not ended, in all and of one network group.
inline constexpr std::size_t kMaxHandshakes = 32;
inline constexpr std::size_t kMaxGroupHandshakes = 4;
/// Time between pings, and silence after which the peer is given up. TCP waits between its tries
/// for as long as a line has been cut; a new connection stands at once when the cut is over.
inline constexpr auto kPingInterval = 5s;
inline constexpr auto kPeerTimeout = 20s;
/// Of a frame that has begun, header and payload alike, there must after this time have come
/// kMinFrameRate of bytes for each second beyond it.
inline constexpr auto kFrameTimeout = 10s;
inline constexpr std::size_t kMinFrameRate = 8 * 1024;  // bytes a second
/// Bytes that wait to be sent to one peer; a peer that lets more wait is too slow and goes.
inline constexpr std::size_t kMaxSendQueueBytes = 3 * chain::kMaxBlockBytes;
/// Waiting bytes above which requests of a peer are no longer served until they fall below.
inline constexpr std::size_t kSendQueueBusyBytes = 2 * chain::kMaxBlockBytes;

// ---- messages
/// Bytes beside the longest block or segment that a message holding one may have.
inline constexpr std::size_t kMessageOverhead = 64 * 1024;
inline constexpr std::size_t kMaxAgentBytes = 64;
inline constexpr std::size_t kMaxAddressesPerMessage = 256;
inline constexpr std::size_t kMaxLocatorIds = 64;
inline constexpr std::size_t kMaxHeadersPerMessage = 2000;
inline constexpr std::size_t kMaxInventoryItems = 1000;
inline constexpr std::size_t kMaxItemsPerRequest = 128;
inline constexpr std::size_t kMaxSamplesPerMessage = 64;
inline constexpr std::size_t kSnapshotPartBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxSnapshotParts = 16'384;

// ---- samples and evidence
/// Time in which a peer under judgement must send something, and in which it must have sent all.
inline constexpr auto kSamplingTimeout = 30s;
inline constexpr auto kMaxSamplingTime = 60min;
/// Bytes that judging one chain may take: task data (chain::kMaxTaskData) and as much again, which
/// is more than evidence of the largest model takes.
inline constexpr std::uint64_t kMaxSamplingBytes = std::uint64_t{1} << 30U;
/// Bytes a second that are served to one peer and to all, and how much of it may be saved up; a
/// request costs kHistoryRequestCost beside what it takes to answer.
inline constexpr std::uint64_t kHistoryPeerRate = std::uint64_t{4} << 20U;
inline constexpr std::uint64_t kHistoryTotalRate = std::uint64_t{16} << 20U;
inline constexpr std::uint64_t kHistorySavedSeconds = 8;
inline constexpr std::uint64_t kHistoryRequestCost = 16 * 1024;
/// Requests of one peer that wait for their turn; one more is held against it.
inline constexpr std::size_t kMaxWaitingHistoryRequests = 32;

}  // namespace gradient::node
