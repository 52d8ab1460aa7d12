// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/shape.hpp>
#include <span>
#include <vector>

namespace anodiff::calibration {

/// Which of n p-values to call anomalies so that the expected share of false ones among them is at most q: those up to
/// the largest p_(k) <= q k / n. Benjamini & Hochberg 1995, eq. 1; holds for conformal p-values of one calibration set
/// by Bates et al. 2023, arXiv:2104.08279, theorem 2. 1 where called, in the order given.
/// Throws invalid_argument for q outside (0, 1) or a p-value outside [0, 1].
[[nodiscard]] inline std::vector<char> benjamini_hochberg(std::span<const double> p_values, double q) {
  check(q > 0 && q < 1, "calibration::benjamini_hochberg: q must lie in (0, 1), got ", q);
  for (std::size_t i = 0; i < p_values.size(); ++i)
    check(p_values[i] >= 0 && p_values[i] <= 1, "calibration::benjamini_hochberg: p-value ", i + 1,
          " must lie in [0, 1], got ", p_values[i]);
  std::vector<double> sorted(p_values.begin(), p_values.end());
  std::ranges::sort(sorted);
  double largest = -1;
  const auto n = static_cast<double>(sorted.size());
  constexpr double rounding = 1e-12;  // q k / n of whole-number p-values must not fall below them
  for (std::size_t k = 0; k < sorted.size(); ++k)
    if (sorted[k] <= q * static_cast<double>(k + 1) / n * (1 + rounding)) largest = sorted[k];
  std::vector<char> called;
  for (const double p : p_values) called.push_back(p <= largest ? 1 : 0);
  return called;
}

}  // namespace anodiff::calibration
