// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/beta_range.hpp>

namespace anodiff::schedules {

struct linear_params {
  double beta_first = 1e-4;  ///< β_1; in (0, 1)
  double beta_last = 0.02;   ///< β_T; in [beta_first, 1)
  index steps = 1000;        ///< T; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("beta_first", self.beta_first);
    field("beta_last", self.beta_last);
    field("steps", self.steps);
  }
};

/// β rises on a straight line. Ho et al. 2020, arXiv:2006.11239, section 4. DTE (arXiv:2305.18593) ends it at 0.01.
class linear {
 public:
  using params = linear_params;
  static constexpr std::string_view name = "linear";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit linear(params p = {}) : params_{p} {
    check_beta_range("schedules::linear", p.beta_first, p.beta_last, p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    return from_beta_curve(params_.steps,
                           [this](double share) { return std::lerp(params_.beta_first, params_.beta_last, share); });
  }

 private:
  params params_;
};
static_assert(schedule<linear>);

}  // namespace anodiff::schedules
