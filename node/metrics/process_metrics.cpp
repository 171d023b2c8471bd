#include "node/metrics/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace gradient::node {

namespace {

const auto kStart = std::chrono::system_clock::now();

double in_seconds(const timeval& time) {
    constexpr double kMicro = 1e-6;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * kMicro;
}

std::optional<double> resident_bytes() {
    std::ifstream statm("/proc/self/statm");  // pages: all, resident, ...
    std::uint64_t all = 0;
    std::uint64_t resident = 0;
    if (!(statm >> all >> resident)) return std::nullopt;
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::optional<double> open_files() {
    std::error_code error;
    const std::filesystem::directory_iterator all("/proc/self/fd", error);
    if (error) return std::nullopt;
    return static_cast<double>(std::distance(begin(all), end(all)));
}

}  // namespace

void add_process_metrics(MetricsPage& page) {
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        page.counter("process_cpu_seconds_total", "Processor time, user and system.",
                     in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime));
    }
    page.gauge("process_resident_memory_bytes", "Memory that is resident.", resident_bytes());
    page.gauge("process_open_fds", "Open file descriptors.", open_files());
    page.gauge("process_start_time_seconds", "When the process started, since 1970.",
               std::chrono::duration<double>(kStart.time_since_epoch()).count());
}

}  // namespace gradient::node
