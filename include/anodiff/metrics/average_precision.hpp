// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/metrics/ranking.hpp>

namespace anodiff::metrics {

/// Average precision, in (0, 1]: the sum over distinct scores, taken as thresholds from the highest down, of the
/// precision there times the recall gained there. A step-wise sum without interpolation, since a straight line between
/// two points of a precision-recall curve promises too much (Davis and Goadrich 2006); the same as scikit-learn's.
[[nodiscard]] inline double average_precision(const ranking& ranked) noexcept {
  double sum = 0;
  std::int64_t found = 0, alarms = 0;
  for (const auto& group : ranked.groups()) {
    found += group.positives;
    alarms += group.positives + group.negatives;
    if (group.positives > 0)
      sum += static_cast<double>(group.positives) * static_cast<double>(found) / static_cast<double>(alarms);
  }
  return sum / static_cast<double>(ranked.positives());
}

/// labels: 1 = anomaly; higher score = more anomalous. Throws as ranking does.
[[nodiscard]] inline double average_precision(std::span<const double> scores, label_view labels) {
  return average_precision(ranking(scores, labels, "average_precision"));
}

}  // namespace anodiff::metrics
