// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/placed.hpp>

namespace anodiff::grids {

struct karras_params {
  double rho = 7;                     ///< how much closer the levels lie at small noise; at least 1
  grid_time time = grid_time::exact;  ///< compat: diffusers rounds (multistep solvers) or truncates (cosine schedule)

  static constexpr void fields(auto& self, auto&& field) {
    field("rho", self.rho);
    field("time", self.time);
  }
};

/// Even spacing in (sigma / alpha)^(1/rho). Karras et al. 2022, arXiv:2206.00364, eq. 5.
class karras {
 public:
  using params = karras_params;
  static constexpr std::string_view name = "karras";

  explicit karras(params p = {}) : params_{p} {
    check(p.rho >= 1 && p.rho <= 1000, "grids::karras: rho must lie in [1, 1000], got ", p.rho);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    return placed("grids::karras", schedule, steps, params_.time, [this](double share, double least, double most) {
      return std::pow(std::lerp(std::pow(most, 1 / params_.rho), std::pow(least, 1 / params_.rho), share), params_.rho);
    });
  }

 private:
  params params_;
};
static_assert(grid<karras>);

}  // namespace anodiff::grids
