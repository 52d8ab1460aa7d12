// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/picked.hpp>
#include <cmath>
namespace anodiff::grids {

/// Even spacing with both ends: round(i (size − 1) / (steps − 1)). A single step takes the noisiest level. Nichol &
/// Dhariwal 2021, arXiv:2102.09672, section 4.
class linspace {
 public:
  using params = no_params;
  static constexpr std::string_view name = "linspace";

  explicit linspace(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    const auto size = static_cast<index>(schedule.size());
    return picked("grids::linspace", schedule, steps, [=](index i) {
      return steps == 1 ? size - 1
                        : static_cast<index>(std::llround(static_cast<double>(i) * static_cast<double>(size - 1) /
                                                          static_cast<double>(steps - 1)));
    });
  }
};
static_assert(grid<linspace>);

}  // namespace anodiff::grids
