// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/schedule.hpp>
#include <cmath>
#include <span>

namespace anodiff::schedules {

/// The variance-preserving levels of a list of β_1 … β_T, each in (0, 1): alpha² = ∏ (1 − β). Ho et al. 2020,
/// arXiv:2006.11239, eq. 4. sigma² is taken from Σ log(1 − β), since 1 − alpha² would cancel at small noise.
[[nodiscard]] inline std::vector<noise_level> from_betas(std::span<const double> betas) {
  std::vector<noise_level> levels;
  levels.reserve(betas.size());
  double log_alpha_bar = 0;
  for (const double beta : betas) {
    log_alpha_bar += std::log1p(-beta);
    levels.push_back(
        {std::exp(log_alpha_bar / 2), std::sqrt(-std::expm1(log_alpha_bar)), static_cast<double>(levels.size())});
  }
  return levels;
}

}  // namespace anodiff::schedules
