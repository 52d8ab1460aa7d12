// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/metrics/curve.hpp>
#include <anodiff/metrics/pixel_ranking.hpp>
#include <vector>

namespace anodiff::metrics {

/// The per-region overlap curve (Bergmann et al. 2020, section 5.2): over all thresholds, x the share of normal pixels
/// with an alarm, over all pictures together, and y the mean over anomalous regions of the share of their pixels with
/// one, so that a small region counts as much as a large one. From (0, 0) to (1, 1), to a rounding. Throws data_error
/// without a region or without a normal pixel.
[[nodiscard]] inline std::vector<curve_point> pro_curve(const pixel_ranking& pixels) {
  std::vector<curve_point> out{{0, 0}};
  pixels.walk("pro_curve", [&](double found, double false_alarms) {
    out.push_back({false_alarms, found});
    return true;
  });
  return out;
}

/// The area under pro_curve up to a share of false alarms, over that share: in [0, 1]. Exact: straight lines between
/// all thresholds, the last one cut at the limit.
/// limit: in (0, 1]; 0.3 is usual, 0.05 looks at fewer false alarms. Throws invalid_argument on another limit,
/// data_error as pro_curve.
[[nodiscard]] inline double aupro(const pixel_ranking& pixels, double limit = 0.3) {
  check(limit > 0 && limit <= 1, "aupro: limit must lie in (0, 1], got ", limit);
  double area = 0;
  curve_point before;
  pixels.walk("aupro", [&](double found, double false_alarms) {
    const double x = std::min(false_alarms, limit), step = x - before.x;
    if (step > 0) {
      const double share = step / (false_alarms - before.x);
      area += step * (before.y + share * (found - before.y) / 2);
    }
    before = {false_alarms, found};
    return false_alarms < limit;
  });
  return area / limit;
}

}  // namespace anodiff::metrics
