// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/sampler.hpp>
#include <cmath>
#include <limits>
#include <numbers>

namespace anodiff::samplers {

/// Noise added before steps and taken away by them. Karras et al. 2022, arXiv:2206.00364, algorithm 2; the bounds are
/// noise-to-signal ratios sigma / alpha.
struct churn_params {
  double churn = 0;                                ///< S_churn, shared by all steps; at least 0
  double from = 0;                                 ///< S_min: ratios below are left alone; at least 0
  double to = std::numeric_limits<double>::max();  ///< S_max: ratios above are left alone; at least `from`
  double noise = 1;                                ///< S_noise, factor of the noise added; at least 0

  static constexpr void fields(auto& self, auto&& field) {
    field("churn", self.churn);
    field("churn_from", self.from);
    field("churn_to", self.to);
    field("churn_noise", self.noise);
  }
};

namespace solver {

inline void check_churn(std::string_view who, const churn_params& p) {
  check(p.churn >= 0 && std::isfinite(p.churn), who, ": churn must be at least 0, got ", p.churn);
  check(p.from >= 0 && p.from <= p.to, who, ": need 0 <= churn_from <= churn_to, got ", p.from, " and ", p.to);
  check(p.noise >= 0 && std::isfinite(p.noise), who, ": churn_noise must be at least 0, got ", p.noise);
}

/// The levels at which each step starts once noise is added. The start of the run is as noisy as it gets: its first
/// level stays, and no level rises above the one before it, since the network's time is known between levels only.
[[nodiscard]] inline std::vector<noise_level> churned(std::span<const noise_level> levels, const churn_params& p) {
  std::vector<noise_level> raised(levels.begin(), levels.end());
  if (p.churn == 0) return raised;
  const double gain = std::min(p.churn / static_cast<double>(levels.size() - 1), std::numbers::sqrt2 - 1);
  for (std::size_t i = 1; i + 1 < levels.size(); ++i) {
    const double ratio = levels[i].sigma / levels[i].alpha;
    if (ratio < p.from || ratio > p.to) continue;
    const double lambda = levels[i].lambda() - std::log1p(gain);
    raised[i] = lambda <= levels[i - 1].lambda() ? levels[i - 1] : between(levels[i - 1], levels[i], lambda);
  }
  return raised;
}

/// Lets a stage that ends at `level` end at `raised`, by noise.
inline void raise(stage& s, const noise_level& level, const noise_level& raised, double noise) noexcept {
  if (level == raised) return;
  const double factor = raised.alpha / level.alpha, before = factor * level.sigma;
  s.x_weight *= factor;
  s.saved_weight *= factor;
  s.clean_weight *= factor;
  for (auto& w : s.past_weight) w *= factor;
  s.noise_weight = noise * std::sqrt((raised.sigma - before) * (raised.sigma + before));
}

}  // namespace solver
}  // namespace anodiff::samplers
