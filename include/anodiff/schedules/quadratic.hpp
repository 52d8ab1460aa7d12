// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/beta_range.hpp>

namespace anodiff::schedules {

struct quadratic_params {
  double beta_first = 1e-4;  ///< β_1; in (0, 1)
  double beta_last = 0.5;    ///< β_T; in [beta_first, 1)
  index steps = 50;          ///< T; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("beta_first", self.beta_first);
    field("beta_last", self.beta_last);
    field("steps", self.steps);
  }
};

/// √β rises on a straight line over few steps, to strong noise. Tashiro et al. 2021, arXiv:2107.03502 (CSDI), appendix
/// E.1; the curve is that of scaled_linear.
class quadratic {
 public:
  using params = quadratic_params;
  static constexpr std::string_view name = "quadratic";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit quadratic(params p = {}) : params_{p} {
    check_beta_range("schedules::quadratic", p.beta_first, p.beta_last, p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    return from_root_line(params_.beta_first, params_.beta_last, params_.steps);
  }

 private:
  params params_;
};
static_assert(schedule<quadratic>);

}  // namespace anodiff::schedules
