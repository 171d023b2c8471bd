#pragma once

#include "node/metrics/metrics_page.hpp"

namespace gradient::node {

/// The metrics of a process that every program of Prometheus's has, under their usual names.
/// What the system does not tell is left out.
void add_process_metrics(MetricsPage& page);

}  // namespace gradient::node
