# The four ways to make a target. Sources and headers are always listed by hand.

# Settings that every target of ours shares. __FILE__ is relative to the source tree, so that two checkouts give
# the same binary.
function(gradient_settings target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_compile_options(${target} PRIVATE -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
    target_link_libraries(${target} PRIVATE
        gradient_warnings gradient_float gradient_instrumentation)
endfunction()

# gradient_library(name SOURCES a.cpp... HEADERS a.hpp... [PUBLIC lib...] [PRIVATE lib...])
# A static library whose headers are included as "folder/file.hpp" from the root of the source tree.
function(gradient_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${arg_HEADERS})
    target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
    gradient_settings(${name})
endfunction()

# gradient_executable(name SOURCES a.cpp... [LIBRARIES lib...])
function(gradient_executable name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
    gradient_settings(${name})
endfunction()

# gradient_test(name SOURCES a_test.cpp... [LIBRARIES lib...] [TIMEOUT seconds])
# A GoogleTest binary; each of its tests becomes a test of ctest named name.Suite.test.
function(gradient_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    gradient_executable(${name} SOURCES ${arg_SOURCES} LIBRARIES ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
    # Compiles in four fifths of the time; what they test is optimised in full.
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
    # Files that tests read: tests/vectors and the like.
    target_compile_definitions(${name} PRIVATE GRADIENT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST
        PROPERTIES LABELS ${name} TIMEOUT ${arg_TIMEOUT})
endfunction()

# gradient_script_test(name COMMAND program arg... [TIMEOUT seconds])
# A test that is a script: exit status 0 means passed. Run in the build's bin folder.
function(gradient_script_test name)
    cmake_parse_arguments(arg "" "TIMEOUT" "COMMAND" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS script
        ENVIRONMENT "GRADIENT_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};GRADIENT_SOURCE_DIR=${PROJECT_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1")
endfunction()

# gradient_bench(name SOURCES a_bench.cpp... [LIBRARIES lib...]): a Google Benchmark binary, run by hand.
function(gradient_bench name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    gradient_executable(${name} SOURCES ${arg_SOURCES}
        LIBRARIES ${arg_LIBRARIES} benchmark::benchmark benchmark::benchmark_main)
endfunction()

# gradient_fuzz(name SOURCES a_fuzz.cpp... [LIBRARIES lib...]): a libFuzzer binary (fuzz preset only).
function(gradient_fuzz name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    gradient_executable(${name} SOURCES ${arg_SOURCES} LIBRARIES ${arg_LIBRARIES})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
