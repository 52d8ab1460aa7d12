// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/metrics/ranking.hpp>
#include <cmath>
#include <limits>

namespace anodiff::metrics {

/// The best overlap that any threshold gives between alarms and anomalies, each in (0, 1], and where.
struct best_overlap {
  double iou = 0;        ///< intersection over union
  double dice = 0;       ///< 2 iou / (1 + iou), which is the F1
  double threshold = 0;  ///< an alarm is a score above it
};

/// IoU-max and Dice-max over all thresholds, exact; both are highest at the same one. Chosen with the labels, so an
/// upper bound on what a rule for the threshold can reach. Of several best thresholds the highest is given.
[[nodiscard]] inline best_overlap find_best_overlap(const ranking& ranked) noexcept {
  best_overlap best;
  std::int64_t found = 0, false_alarms = 0;
  for (const auto& group : ranked.groups()) {
    found += group.positives;
    false_alarms += group.negatives;
    const auto hit = static_cast<double>(found), either = static_cast<double>(ranked.positives() + false_alarms);
    if (hit / either > best.iou) best = {hit / either, 2 * hit / (either + hit), group.score};
  }
  best.threshold = std::nextafter(best.threshold, -std::numeric_limits<double>::infinity());
  return best;
}

}  // namespace anodiff::metrics
