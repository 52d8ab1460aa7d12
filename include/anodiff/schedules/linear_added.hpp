// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/beta_range.hpp>

namespace anodiff::schedules {

struct linear_added_params {
  double beta_first = 1e-4;  ///< β_1; in (0, 1)
  double beta_last = 0.01;   ///< β_T; in [beta_first, 1)
  index steps = 400;         ///< T; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("beta_first", self.beta_first);
    field("beta_last", self.beta_last);
    field("steps", self.steps);
  }
};

/// The noise of the linear schedule, added to a sample that is not scaled down: alpha = 1, sigma² = 1 − ∏ (1 − β).
/// Livernoche et al. 2023 (DTE), arXiv:2305.18593, section 4, where T = 400.
class linear_added {
 public:
  using params = linear_added_params;
  static constexpr std::string_view name = "linear_added";
  static constexpr bool variance_preserving = false;
  static constexpr bool ends_in_pure_noise = false;

  explicit linear_added(params p = {}) : params_{p} {
    check_beta_range("schedules::linear_added", p.beta_first, p.beta_last, p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    auto levels = from_beta_curve(
        params_.steps, [this](double share) { return std::lerp(params_.beta_first, params_.beta_last, share); });
    for (auto& level : levels) level.alpha = 1;
    return levels;
  }

 private:
  params params_;
};
static_assert(schedule<linear_added>);

}  // namespace anodiff::schedules
