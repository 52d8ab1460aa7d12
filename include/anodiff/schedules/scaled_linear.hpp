// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/beta_range.hpp>

namespace anodiff::schedules {

struct scaled_linear_params {
  double beta_first = 0.00085;  ///< β_1; in (0, 1)
  double beta_last = 0.012;     ///< β_T; in [beta_first, 1)
  index steps = 1000;           ///< T; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("beta_first", self.beta_first);
    field("beta_last", self.beta_last);
    field("steps", self.steps);
  }
};

/// √β rises on a straight line. Rombach et al. 2021, arXiv:2112.10752, in its released configurations: 0.00085 to
/// 0.012, and 0.0015 to 0.0195 for the autoencoders of out-of-distribution detectors.
class scaled_linear {
 public:
  using params = scaled_linear_params;
  static constexpr std::string_view name = "scaled_linear";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit scaled_linear(params p = {}) : params_{p} {
    check_beta_range("schedules::scaled_linear", p.beta_first, p.beta_last, p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    return from_root_line(params_.beta_first, params_.beta_last, params_.steps);
  }

 private:
  params params_;
};
static_assert(schedule<scaled_linear>);

}  // namespace anodiff::schedules
