#pragma once

#include <bit>
#include <cstdint>

/// What this library assumes of the platform; a build for anything else must not compile.
namespace gradient::model {

static_assert(std::endian::native == std::endian::little,
              "parameters and accumulators are folded and hashed as they lie in memory");
static_assert((-3 >> 1) == -2, "the arithmetic shift is the floor division of SPEC.md");
static_assert(sizeof(int) == 4 && sizeof(void*) == 8);

}  // namespace gradient::model
