// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/schedule.hpp>

namespace anodiff::schedules {

struct flow_matching_params {
  double shift = 1;    ///< above 1, more levels lie at strong noise; (0, 100]
  index steps = 1000;  ///< T; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("shift", self.shift);
    field("steps", self.steps);
  }
};

/// Straight paths from sample to noise: alpha = 1 − t, sigma = t, at t = s u / (1 + (s − 1) u) for even u and the shift
/// s. Lipman et al. 2022, arXiv:2210.02747, eq. 20, and Esser et al. 2024, arXiv:2403.03206, eq. 23 for the shift. It
/// ends in pure noise: needs a prediction of flow, velocity or the clean sample.
class flow_matching {
 public:
  using params = flow_matching_params;
  static constexpr std::string_view name = "flow_matching";
  static constexpr bool variance_preserving = false;
  static constexpr bool ends_in_pure_noise = true;

  explicit flow_matching(params p = {}) : params_{p} {
    check(p.shift > 0 && p.shift <= 100, "schedules::flow_matching: shift must lie in (0, 100], got ", p.shift);
    check(p.steps >= 1 && p.steps <= 1'000'000, "schedules::flow_matching: steps must lie in [1, 1000000], got ",
          p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    std::vector<noise_level> levels;
    levels.reserve(static_cast<std::size_t>(params_.steps));
    for (index i = 0; i < params_.steps; ++i) {
      const double noise = params_.shift * static_cast<double>(i + 1),
                   signal = static_cast<double>(params_.steps - 1 - i);
      levels.push_back({signal / (signal + noise), noise / (signal + noise), static_cast<double>(i)});
    }
    return levels;
  }

 private:
  params params_;
};
static_assert(schedule<flow_matching>);

}  // namespace anodiff::schedules
