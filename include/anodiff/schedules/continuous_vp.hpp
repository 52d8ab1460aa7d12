// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/schedule.hpp>
#include <cmath>

namespace anodiff::schedules {

struct continuous_vp_params {
  double beta_min = 0.1;     ///< β(0); at least 0
  double beta_max = 20;      ///< β(1); above beta_min, at most 100
  double first_time = 1e-3;  ///< of the least noisy level; (0, 1)
  index steps = 1000;        ///< levels, evenly spread over [first_time, 1]; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("beta_min", self.beta_min);
    field("beta_max", self.beta_max);
    field("first_time", self.first_time);
    field("steps", self.steps);
  }
};

/// The variance-preserving SDE: log alpha = −t² (beta_max − beta_min) / 4 − t beta_min / 2. Song et al. 2021,
/// arXiv:2011.13456, eq. 33. A single level lies at t = first_time.
class continuous_vp {
 public:
  using params = continuous_vp_params;
  static constexpr std::string_view name = "continuous_vp";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit continuous_vp(params p = {}) : params_{p} {
    check(p.beta_min >= 0 && p.beta_min < p.beta_max && p.beta_max <= 100,
          "schedules::continuous_vp: need 0 <= beta_min < beta_max <= 100, got ", p.beta_min, " and ", p.beta_max);
    check(p.first_time > 0 && p.first_time < 1, "schedules::continuous_vp: first_time must lie in (0, 1), got ",
          p.first_time);
    check(p.steps >= 1 && p.steps <= 1'000'000, "schedules::continuous_vp: steps must lie in [1, 1000000], got ",
          p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    std::vector<noise_level> levels;
    levels.reserve(static_cast<std::size_t>(params_.steps));
    for (index i = 0; i < params_.steps; ++i) {
      const double share = params_.steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(params_.steps - 1);
      const double t = std::lerp(params_.first_time, 1.0, share);
      const double log_alpha = -t * t * (params_.beta_max - params_.beta_min) / 4 - t * params_.beta_min / 2;
      levels.push_back({std::exp(log_alpha), std::sqrt(-std::expm1(2 * log_alpha)), static_cast<double>(i)});
    }
    return levels;
  }

 private:
  params params_;
};
static_assert(schedule<continuous_vp>);

}  // namespace anodiff::schedules
