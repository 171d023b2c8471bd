# gradient_warnings: the warnings of every target of ours; all are errors.
add_library(gradient_warnings INTERFACE)
target_compile_options(gradient_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Werror
    -Wconversion -Wsign-conversion -Wdouble-promotion
    -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wcast-align
    -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough -Wswitch
    -Wextra-semi -Wundef -Wvla)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(gradient_warnings INTERFACE
        -Wduplicated-cond -Wduplicated-branches -Wlogical-op
        # False alarms of g++ 12 on inlined std::vector, std::string and tl::expected at -O3.
        -Wno-null-dereference -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
        -Wno-maybe-uninitialized -Wno-restrict)
else()
    target_compile_options(gradient_warnings INTERFACE -Wthread-safety)
endif()
