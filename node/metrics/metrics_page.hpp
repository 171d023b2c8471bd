#pragma once

#include <prometheus/metric_family.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradient::node {

/// Metrics of one moment in the order in which they were added, as Prometheus reads them. Names
/// follow its conventions: base units, counters end in _total.
class MetricsPage {
  public:
    using Label = prometheus::ClientMetric::Label;

    /// What goes up and down. Nothing is told where the value isn't known.
    void gauge(std::string_view name, std::string_view help, std::optional<double> value,
               std::vector<Label> labels = {});
    /// What only rises while the program runs. The name must end in _total.
    void counter(std::string_view name, std::string_view help, double value,
                 std::vector<Label> labels = {});

    /// The page in the text format 0.0.4 of
    /// https://prometheus.io/docs/instrumenting/exposition_formats/.
    [[nodiscard]] std::string text() const;

  private:
    prometheus::ClientMetric& add(prometheus::MetricType type, std::string_view name,
                                  std::string_view help, std::vector<Label> labels);

    std::vector<prometheus::MetricFamily> families_;
};

}  // namespace gradient::node
