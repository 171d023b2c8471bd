#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gradient::node {

// ---- one text of JSON-RPC
/// A request's body or a WebSocket's message.
inline constexpr std::uint64_t kRpcBodyLimitBytes = 1U << 20U;
/// Nesting of a request's JSON.
inline constexpr std::size_t kRpcMaxDepth = 16;
/// Requests in one batch.
inline constexpr std::size_t kRpcMaxBatch = 64;
/// All answers of a batch together; those beyond are told as errors.
inline constexpr std::size_t kRpcMaxBatchAnswerBytes = 16U << 20U;
/// After this the rest of a batch is not begun.
inline constexpr std::chrono::seconds kRpcMaxBatchTime{120};

// ---- HTTP
inline constexpr std::uint32_t kRpcHeaderLimitBytes = 8U << 10U;
inline constexpr std::size_t kRpcMaxConnections = 64;
/// To receive one request, and to send one answer.
inline constexpr std::chrono::seconds kRpcTransferTimeout{30};
/// For TLS and the whole first request of a connection: only who is let in may keep one for longer.
inline constexpr std::chrono::seconds kRpcFirstRequestTimeout{10};
/// A connection that asks nothing for so long is closed.
inline constexpr std::chrono::seconds kRpcIdleTimeout{120};

// ---- WebSocket
/// Of kRpcMaxConnections.
inline constexpr std::size_t kRpcMaxSockets = 32;
/// Requests of one socket that are being answered.
inline constexpr std::size_t kRpcMaxSocketRequests = 16;
/// What may wait to be sent on one socket; one that lets more wait is too slow and is closed.
inline constexpr std::size_t kRpcMaxQueuedMessages = 1024;
inline constexpr std::size_t kRpcMaxQueuedBytes = 4U << 20U;
/// To send one message, and to close in order.
inline constexpr std::chrono::seconds kRpcSocketSendTimeout{30};
inline constexpr std::chrono::seconds kRpcSocketCloseTimeout{3};
/// A socket on which nothing has come for so long is closed; a ping is sent after half of it.
inline constexpr std::chrono::seconds kRpcSocketIdleTimeout{60};

}  // namespace gradient::node
