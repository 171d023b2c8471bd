#include "node/metrics/metrics_page.hpp"

#include "node/metrics/process_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradient::node {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MetricsPage, tells_each_family_once_with_all_its_labels) {
    MetricsPage page;
    page.gauge("gradient_peers", "Connected peers.", 3, {{"direction", "inbound"}});
    page.counter("gradient_bytes_total", "Bytes.", 7);
    page.gauge("gradient_peers", "Connected peers.", 2, {{"direction", "outbound"}});
    EXPECT_EQ(page.text(),
              "# HELP gradient_peers Connected peers.\n"
              "# TYPE gradient_peers gauge\n"
              "gradient_peers{direction=\"inbound\"} 3\n"
              "gradient_peers{direction=\"outbound\"} 2\n"
              "# HELP gradient_bytes_total Bytes.\n"
              "# TYPE gradient_bytes_total counter\n"
              "gradient_bytes_total 7\n");
}

TEST(MetricsPage, leaves_out_what_is_not_known) {
    MetricsPage page;
    page.gauge("gradient_useful_fraction", "Useful.", std::nullopt);
    EXPECT_EQ(page.text(), "");
}

// The name of a network is whatever its maker wrote.
TEST(MetricsPage, quotes_labels) {
    MetricsPage page;
    page.gauge("gradient_build_info", "Build.", 1, {{"network", "a\"b\\c\nd"}});
    EXPECT_THAT(page.text(), HasSubstr(R"(network="a\"b\\c\nd"} 1)"));
}

TEST(MetricsPage, tells_large_counts_exactly) {
    MetricsPage page;
    page.counter("gradient_units_total", "Units.", 9'007'199'254'740'991.0);
    EXPECT_THAT(page.text(), HasSubstr("gradient_units_total 9007199254740991\n"));
}

TEST(ProcessMetrics, are_those_of_this_process) {
    MetricsPage page;
    add_process_metrics(page);
    for (const auto* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                             "process_open_fds", "process_start_time_seconds"})
        EXPECT_THAT(page.text(), HasSubstr(std::string("\n") + name + " "));
    EXPECT_THAT(page.text(), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace gradient::node
