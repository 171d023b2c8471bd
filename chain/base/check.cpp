#include "chain/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace gradient::chain {

void check_failed(const char* condition, const char* file, int line) noexcept {
    static_cast<void>(std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition));
    static_cast<void>(std::fflush(stderr));
    std::abort();
}

}  // namespace gradient::chain
