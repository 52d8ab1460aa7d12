// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/schedule.hpp>
#include <cmath>
#include <limits>
#include <span>

namespace anodiff::schedules {

/// The variance-preserving levels of a list of β_1 … β_T, each in (0, 1): alpha² = ∏ (1 − β). Ho et al. 2020,
/// arXiv:2006.11239, eq. 4. sigma² is taken from Σ log(1 − β), since 1 − alpha² would cancel at small noise.
/// Throws invalid_argument for another β, and where alpha would leave the range of a float: x̂_0 is divided by it.
[[nodiscard]] inline std::vector<noise_level> from_betas(std::span<const double> betas) {
  std::vector<noise_level> levels;
  levels.reserve(betas.size());
  double log_alpha_bar = 0;
  for (const double beta : betas) {
    check(beta > 0 && beta < 1, "schedules::from_betas: each beta must lie in (0, 1), but number ", levels.size() + 1,
          " is ", beta);
    log_alpha_bar += std::log1p(-beta);
    const double alpha = std::exp(log_alpha_bar / 2);
    check(alpha >= static_cast<double>(std::numeric_limits<float>::min()), "schedules: no signal is left at step ",
          levels.size() + 1, " of ", betas.size(), " (alpha would be ", alpha, "); use fewer steps or smaller betas");
    levels.push_back({alpha, std::sqrt(-std::expm1(log_alpha_bar)), static_cast<double>(levels.size())});
  }
  return levels;
}

}  // namespace anodiff::schedules
