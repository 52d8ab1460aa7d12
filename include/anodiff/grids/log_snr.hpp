// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/placed.hpp>

namespace anodiff::grids {

struct log_snr_params {
  grid_time time = grid_time::exact;  ///< compat: diffusers rounds (`lu`) or truncates (`exponential`)

  static constexpr void fields(auto& self, auto&& field) { field("time", self.time); }
};

/// Even spacing in lambda. Lu et al. 2022, arXiv:2206.00927, section 4.1. In sigma / alpha it is the exponential grid
/// of k-diffusion, so that both names mean it.
class log_snr {
 public:
  using params = log_snr_params;
  static constexpr std::string_view name = "log_snr";

  explicit log_snr(params p = {}) : params_{p} {}
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    return placed("grids::log_snr", schedule, steps, params_.time, [](double share, double least, double most) {
      return std::exp(std::lerp(std::log(most), std::log(least), share));
    });
  }

 private:
  params params_;
};
static_assert(grid<log_snr>);

using exponential = log_snr;

}  // namespace anodiff::grids
