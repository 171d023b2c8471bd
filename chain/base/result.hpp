#pragma once

#include <tl/expected.hpp>

#include <type_traits>
#include <utility>

namespace gradient::chain {

/// A value or the reason why there is none. The names are those of std::expected.
template <class T, class E>
using Result = tl::expected<T, E>;

/// The failed half of a Result: `return fail(CodecError::truncated);`
template <class E>
[[nodiscard]] constexpr tl::unexpected<std::decay_t<E>> fail(E&& error) {
    return tl::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

}  // namespace gradient::chain

#define GRADIENT_CONCAT_(a, b) a##b
#define GRADIENT_CONCAT(a, b) GRADIENT_CONCAT_(a, b)

// NOLINTBEGIN(bugprone-macro-parentheses): names and declarations can't stand in parentheses

/// Returns the error of `expression`, a Result, to the caller; goes on if there is none.
#define TRY(expression) GRADIENT_TRY_(GRADIENT_CONCAT(try_result_, __LINE__), expression)
#define GRADIENT_TRY_(name, expression)                                   \
    do {                                                                  \
        auto&& name = (expression);                                       \
        if (!name) return ::tl::make_unexpected(std::move(name).error()); \
    } while (false)

/// Like TRY, and binds the value: `TRY_ASSIGN(const auto header, decode_exact<Header>(bytes));`
#define TRY_ASSIGN(declaration, expression) \
    GRADIENT_TRY_ASSIGN_(GRADIENT_CONCAT(try_result_, __LINE__), declaration, expression)
#define GRADIENT_TRY_ASSIGN_(name, declaration, expression)           \
    auto&& name = (expression);                                       \
    if (!name) return ::tl::make_unexpected(std::move(name).error()); \
    declaration = *std::move(name)

// NOLINTEND(bugprone-macro-parentheses)
