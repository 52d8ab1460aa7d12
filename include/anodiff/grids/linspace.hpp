// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/picked.hpp>
#include <cmath>

namespace anodiff::grids {

struct linspace_params {
  bool inner =
      false;  ///< spread over steps + 1 levels, the cleanest of which is left out, as diffusers' multistep solvers

  static constexpr void fields(auto& self, auto&& field) { field("inner", self.inner); }
};

/// Even spacing with both ends: round(i (size − 1) / (steps − 1)), halves to even as numpy has it. A single step takes
/// the noisiest level. Nichol & Dhariwal 2021, arXiv:2102.09672, section 4.
class linspace {
 public:
  using params = linspace_params;
  static constexpr std::string_view name = "linspace";

  explicit linspace(params p = {}) : params_{p} {}
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    const auto size = static_cast<index>(schedule.size());
    const index first = params_.inner ? 1 : 0, gaps = steps - 1 + first;
    check_steps("grids::linspace", schedule, steps, first);
    return picked(schedule, steps, [=](index i) {
      if (i + first == gaps) return size - 1;
      const double stride = static_cast<double>(size - 1) / static_cast<double>(gaps);
      return static_cast<index>(std::nearbyint(static_cast<double>(i + first) * stride));
    });
  }

 private:
  params params_;
};
static_assert(grid<linspace>);

}  // namespace anodiff::grids
