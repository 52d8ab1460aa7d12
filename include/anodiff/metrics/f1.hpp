// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/metrics/ranking.hpp>

namespace anodiff::metrics {

/// F1 of an alarm on exactly as many samples as there are anomalies, the highest scores first; in [0, 1]. Precision,
/// recall and F1 agree there. Where equal scores straddle the cut, the value is the mean over all ways to choose among
/// them: it depends on no order of the samples, so that a constant score earns the share of anomalies and no more.
[[nodiscard]] inline double f1_at_n(const ranking& ranked) noexcept {
  double found = 0;
  std::int64_t left = ranked.positives();
  for (const auto& group : ranked.groups()) {
    const auto size = group.positives + group.negatives;
    if (size >= left) {
      if (size > 0)
        found += static_cast<double>(left) * static_cast<double>(group.positives) / static_cast<double>(size);
      break;
    }
    found += static_cast<double>(group.positives);
    left -= size;
  }
  return found / static_cast<double>(ranked.positives());
}

/// labels: 1 = anomaly; higher score = more anomalous. Throws as ranking does.
[[nodiscard]] inline double f1_at_n(std::span<const double> scores, label_view labels) {
  return f1_at_n(ranking(scores, labels, "f1_at_n"));
}

/// The highest F1 over all thresholds, in (0, 1]. The threshold is chosen with the test labels, so this is an upper
/// bound on what any rule for the threshold can reach, not a result: report f1_at_n beside it.
[[nodiscard]] inline double f1_max(const ranking& ranked) noexcept {
  double best = 0;
  std::int64_t found = 0, alarms = 0;
  for (const auto& group : ranked.groups()) {
    found += group.positives;
    alarms += group.positives + group.negatives;
    best = std::max(best, 2 * static_cast<double>(found) / static_cast<double>(alarms + ranked.positives()));
  }
  return best;
}

/// labels: 1 = anomaly; higher score = more anomalous. Throws as ranking does.
[[nodiscard]] inline double f1_max(std::span<const double> scores, label_view labels) {
  return f1_max(ranking(scores, labels, "f1_max"));
}

}  // namespace anodiff::metrics
