#pragma once

#include "node/rpc/rpc_limits.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace gradient::node {

/// What waits to be sent to one reader, within bounds. A message is shared by all who get it.
class Outbox {
  public:
    using Message = std::shared_ptr<const std::string>;

    struct Limits {
        std::size_t messages = kRpcMaxQueuedMessages;
        std::size_t bytes = kRpcMaxQueuedBytes;  ///< one message alone may be larger
    };

    explicit Outbox(const Limits& limits) : limits_(limits) {}

    /// False, and the box stays as it is, if its reader is too slow.
    [[nodiscard]] bool push(Message message) {
        if (messages_.size() >= limits_.messages) return false;
        if (!messages_.empty() && bytes_ + message->size() > limits_.bytes) return false;
        bytes_ += message->size();
        messages_.push_back(std::move(message));
        return true;
    }

    /// The oldest message; null if there is none.
    [[nodiscard]] Message pop() {
        if (messages_.empty()) return nullptr;
        auto message = std::move(messages_.front());
        messages_.pop_front();
        bytes_ -= message->size();
        return message;
    }

    void clear() {
        messages_.clear();
        bytes_ = 0;
    }

    [[nodiscard]] std::size_t size() const noexcept { return messages_.size(); }

  private:
    Limits limits_;
    std::deque<Message> messages_;
    std::size_t bytes_ = 0;
};

}  // namespace gradient::node
