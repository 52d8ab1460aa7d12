// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/schedule.hpp>
#include <cmath>

namespace anodiff::schedules {

struct exploding_params {
  double sigma_min = 0.01;  ///< of the least noisy level, in units of the data; above 0
  double sigma_max = 50;    ///< of the noisiest; above sigma_min
  index steps = 1000;       ///< levels, evenly spread in log sigma; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("sigma_min", self.sigma_min);
    field("sigma_max", self.sigma_max);
    field("steps", self.steps);
  }
};

/// The variance-exploding SDE: alpha = 1, sigma = sigma_min (sigma_max / sigma_min)^t. Song et al. 2021,
/// arXiv:2011.13456, eq. 31. EDM (arXiv:2206.00364) has 0.002 to 80. A single level is the least noisy.
class exploding {
 public:
  using params = exploding_params;
  static constexpr std::string_view name = "exploding";
  static constexpr bool variance_preserving = false;
  static constexpr bool ends_in_pure_noise = false;

  explicit exploding(params p = {}) : params_{p} {
    check(p.sigma_min > 0 && p.sigma_min < p.sigma_max && std::isfinite(p.sigma_max),
          "schedules::exploding: need 0 < sigma_min < sigma_max, got ", p.sigma_min, " and ", p.sigma_max);
    check(p.steps >= 1 && p.steps <= 1'000'000, "schedules::exploding: steps must lie in [1, 1000000], got ", p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    std::vector<noise_level> levels;
    levels.reserve(static_cast<std::size_t>(params_.steps));
    for (index i = 0; i < params_.steps; ++i) {
      const double share = params_.steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(params_.steps - 1);
      levels.push_back(
          {1, params_.sigma_min * std::pow(params_.sigma_max / params_.sigma_min, share), static_cast<double>(i)});
    }
    return levels;
  }

 private:
  params params_;
};
static_assert(schedule<exploding>);

}  // namespace anodiff::schedules
