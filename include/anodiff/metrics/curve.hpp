// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/metrics/ranking.hpp>
#include <vector>

namespace anodiff::metrics {

/// A point of a curve over all thresholds, from the highest down; x and y lie in [0, 1].
struct curve_point {
  double x = 0;
  double y = 0;
  [[nodiscard]] bool operator==(const curve_point&) const = default;
};

/// The ROC curve: x the share of normals and y the share of anomalies at or above each distinct score, from (0, 0) to
/// (1, 1); auroc is the area below its straight lines.
[[nodiscard]] inline std::vector<curve_point> roc_curve(const ranking& ranked) {
  std::vector<curve_point> out{{0, 0}};
  std::int64_t found = 0, false_alarms = 0;
  for (const auto& group : ranked.groups()) {
    found += group.positives;
    false_alarms += group.negatives;
    out.push_back({static_cast<double>(false_alarms) / static_cast<double>(ranked.negatives()),
                   static_cast<double>(found) / static_cast<double>(ranked.positives())});
  }
  return out;
}

}  // namespace anodiff::metrics
