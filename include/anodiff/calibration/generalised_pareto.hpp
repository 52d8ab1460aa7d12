// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <cmath>
#include <limits>
#include <span>

namespace anodiff::calibration {

/// The law of excesses over a high threshold, P(Y > y) = (1 + γ y / σ)^(−1/γ), e^(−y/σ) for γ = 0 (Pickands 1975).
struct generalised_pareto {
  double shape = 0;  ///< γ: below 0 the tail ends at −σ/γ
  double scale = 1;  ///< σ; above 0

  /// From excesses, ascending and finite, by probability-weighted moments, which exist for γ < 1/2 and need no search:
  /// Hosking & Wallis 1987, with plotting positions (i − 0.35) / n. Below `fewest` excesses, and where all are
  /// 0, the tail is exponential.
  [[nodiscard]] static generalised_pareto fit(std::span<const double> excesses) {
    const auto n = static_cast<double>(excesses.size());
    double mean = 0, weighted = 0;
    for (std::size_t i = 0; i < excesses.size(); ++i) {
      mean += excesses[i] / n;
      weighted += (1 - (static_cast<double>(i) + 0.65) / n) * excesses[i] / n;
    }
    check<numeric_error>(std::isfinite(mean),
                         "calibration::generalised_pareto: the excesses must be finite, their mean is ", mean);
    if (!(mean > 0)) return {0, std::numeric_limits<double>::min()};
    if (excesses.size() < fewest) return {0, mean};
    const double gap = mean - 2 * weighted;  // at least 0.3 mean / n, as the weights fall while the excesses rise
    return {2 - mean / gap, 2 * mean * weighted / gap};
  }
  static constexpr std::size_t fewest = 10;
  static constexpr double flat = 1e-9;  ///< shapes this near 0 are exponential

  /// P(Y > y), y at least 0.
  [[nodiscard]] double survival(double y) const noexcept {
    if (std::abs(shape) < flat) return std::exp(-y / scale);
    return std::pow(std::max(0.0, 1 + shape * y / scale), -1 / shape);
  }
  /// The y with P(Y > y) = p, p in (0, 1].
  [[nodiscard]] double excess_at(double p) const noexcept {
    if (std::abs(shape) < flat) return -scale * std::log(p);
    return scale / shape * std::expm1(-shape * std::log(p));
  }
};

}  // namespace anodiff::calibration
