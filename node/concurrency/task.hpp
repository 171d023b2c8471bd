#pragma once

#include <boost/asio/awaitable.hpp>

namespace gradient::node {

namespace asio = boost::asio;

/// A coroutine that yields a T; it starts when awaited or spawned.
template <class T = void>
using Task = asio::awaitable<T>;

}  // namespace gradient::node
