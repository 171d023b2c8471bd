#pragma once

namespace gradient::chain {

/// Prints the broken condition to standard error and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace gradient::chain

/// Aborts if an invariant of ours is broken. Stays on in release builds; never for bytes from
/// outside.
#define CHECK(condition)                \
    ((condition) ? static_cast<void>(0) \
                 : ::gradient::chain::check_failed(#condition, __FILE__, __LINE__))

/// CHECK in debug builds only, for hot paths. The condition must compile in both.
#ifdef NDEBUG
#define DCHECK(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#else
#define DCHECK(condition) CHECK(condition)
#endif
