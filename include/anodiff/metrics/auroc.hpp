// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/metrics/ranking.hpp>

namespace anodiff::metrics {

/// Area under the ROC curve, in [0, 1]: the share of (anomaly, normal) pairs that the scores put in the right order, a
/// tie counting one half (Mann and Whitney's U; the same as average ranks). Counted in integers, rounded once at the
/// end; exact while anomalies times normals stay below 2^52.
[[nodiscard]] inline double auroc(const ranking& ranked) noexcept {
  std::int64_t twice_right = 0, positives_above = 0;
  for (const auto& group : ranked.groups()) {
    twice_right += group.negatives * (2 * positives_above + group.positives);
    positives_above += group.positives;
  }
  return static_cast<double>(twice_right) /
         (2 * static_cast<double>(ranked.positives()) * static_cast<double>(ranked.negatives()));
}

/// labels: 1 = anomaly; higher score = more anomalous. Throws as ranking does.
[[nodiscard]] inline double auroc(std::span<const double> scores, label_view labels) {
  return auroc(ranking(scores, labels, "auroc"));
}

}  // namespace anodiff::metrics
