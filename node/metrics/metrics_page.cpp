#include "node/metrics/metrics_page.hpp"

#include "chain/base/check.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace gradient::node {

prometheus::ClientMetric& MetricsPage::add(prometheus::MetricType type, std::string_view name,
                                           std::string_view help, std::vector<Label> labels) {
    auto family = std::ranges::find(families_, name, &prometheus::MetricFamily::name);
    if (family == families_.end()) {
        families_.push_back({std::string(name), std::string(help), type, {}});
        family = std::prev(families_.end());
    }
    CHECK(family->type == type);
    auto& metric = family->metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
}

void MetricsPage::gauge(std::string_view name, std::string_view help, std::optional<double> value,
                        std::vector<Label> labels) {
    if (!value) return;
    add(prometheus::MetricType::Gauge, name, help, std::move(labels)).gauge.value = *value;
}

void MetricsPage::counter(std::string_view name, std::string_view help, double value,
                          std::vector<Label> labels) {
    CHECK(name.ends_with("_total"));
    add(prometheus::MetricType::Counter, name, help, std::move(labels)).counter.value = value;
}

std::string MetricsPage::text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return std::move(out).str();
}

}  // namespace gradient::node
