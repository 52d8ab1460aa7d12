// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/beta_range.hpp>

namespace anodiff::schedules {

struct sigmoid_params {
  double beta_first = 1e-4;  ///< limit of β at the left; in (0, 1)
  double beta_last = 0.02;   ///< limit of β at the right; in [beta_first, 1)
  index steps = 1000;        ///< T; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("beta_first", self.beta_first);
    field("beta_last", self.beta_last);
    field("steps", self.steps);
  }
};

/// β rises on a logistic curve over (−6, 6): beta_first + (beta_last − beta_first) / (1 + e^{−u}). Xu et al. 2022,
/// arXiv:2203.02923 (GeoDiff), in its released code.
class sigmoid {
 public:
  using params = sigmoid_params;
  static constexpr std::string_view name = "sigmoid";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit sigmoid(params p = {}) : params_{p} {
    check_beta_range("schedules::sigmoid", p.beta_first, p.beta_last, p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    return from_beta_curve(params_.steps, [this](double share) {
      return params_.beta_first + (params_.beta_last - params_.beta_first) / (1 + std::exp(6 - 12 * share));
    });
  }

 private:
  params params_;
};
static_assert(schedule<sigmoid>);

}  // namespace anodiff::schedules
