# Everything comes from the system; tools/packages.txt names the Debian packages.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)       # OpenSSL::Crypto, OpenSSL::SSL
find_package(Boost 1.81 REQUIRED)        # Boost::headers: Asio, Beast, JSON
find_package(Eigen3 3.4 REQUIRED)        # Eigen3::Eigen
find_package(leveldb REQUIRED)           # leveldb::leveldb
find_package(tl-expected REQUIRED)       # tl::expected
find_package(spdlog REQUIRED)            # spdlog::spdlog
find_package(CLI11 REQUIRED)             # CLI11::CLI11
find_package(prometheus-cpp REQUIRED)    # prometheus-cpp::core
if(GRADIENT_FUZZ)
    return()
endif()
if(GRADIENT_TESTS)
    find_package(GTest REQUIRED)         # GTest::gtest, GTest::gmock, GTest::gtest_main
    # Debian's own interpreter, which has the packages of tools/packages.txt, before another in PATH.
    if(NOT DEFINED Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
        set(Python3_EXECUTABLE /usr/bin/python3)
    endif()
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    include(GoogleTest)
endif()
if(GRADIENT_BENCH)
    find_package(benchmark REQUIRED)     # benchmark::benchmark
endif()
