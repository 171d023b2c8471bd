#include "model/numerics/engine.hpp"

#include <algorithm>

namespace gradient::model {
namespace {

bool runs_here(EngineKind kind) noexcept {
    switch (kind) {
        case EngineKind::best:
        case EngineKind::eigen_double:
            return true;
#if defined(__x86_64__)
        case EngineKind::int16_sse2:
            return true;
        case EngineKind::int16_avx2:
            return __builtin_cpu_supports("avx2") != 0;
        case EngineKind::int16_avx512:
            return __builtin_cpu_supports("avx512bw") != 0;
        case EngineKind::int16_avx512_vnni:
            return __builtin_cpu_supports("avx512bw") != 0 &&
                   __builtin_cpu_supports("avx512vnni") != 0;
#else
        default:
            return false;
#endif
    }
    return false;
}

const Kernels* table_of(EngineKind kind) noexcept {
    switch (kind) {
#if defined(__x86_64__)
        case EngineKind::int16_sse2:
            return &sse2_kernels();
        case EngineKind::int16_avx2:
            return &avx2_kernels();
        case EngineKind::int16_avx512:
            return &avx512_kernels();
        case EngineKind::int16_avx512_vnni:
            return &avx512_vnni_kernels();
#endif
        default:
            return &eigen_kernels();
    }
}

}  // namespace

std::vector<EngineKind> available_engines() {
    std::vector<EngineKind> engines;
    for (const EngineKind kind :
         {EngineKind::int16_avx512_vnni, EngineKind::int16_avx512, EngineKind::int16_avx2,
          EngineKind::int16_sse2, EngineKind::eigen_double})
        if (runs_here(kind)) engines.push_back(kind);
    return engines;
}

std::string_view engine_name(EngineKind kind) noexcept {
    switch (kind) {
        case EngineKind::best:
            return "best";
        case EngineKind::eigen_double:
            return "eigen-double";
        case EngineKind::int16_sse2:
            return "int16-sse2";
        case EngineKind::int16_avx2:
            return "int16-avx2";
        case EngineKind::int16_avx512:
            return "int16-avx512";
        case EngineKind::int16_avx512_vnni:
            return "int16-avx512-vnni";
    }
    return "unknown";
}

tl::expected<const Kernels*, TaskError> find_engine(EngineKind kind) noexcept {
    if (!runs_here(kind)) return tl::unexpected(TaskError::unknown_kind);
    return table_of(kind == EngineKind::best ? available_engines().front() : kind);
}

}  // namespace gradient::model
