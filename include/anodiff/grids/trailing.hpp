// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/picked.hpp>
#include <cmath>

namespace anodiff::grids {

/// Even strides of size / steps down from the noisiest level: the k-th lies at round(size − k size / steps) − 1, halves
/// to even as numpy has it. Lin et al. 2023, arXiv:2305.08891, table 2.
class trailing {
 public:
  using params = no_params;
  static constexpr std::string_view name = "trailing";

  explicit trailing(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    check_steps("grids::trailing", schedule, steps);
    const auto size = static_cast<double>(schedule.size());
    return picked(schedule, steps, [=](index i) {
      const double down = static_cast<double>(steps - 1 - i) * (size / static_cast<double>(steps));
      return static_cast<index>(std::nearbyint(size - down)) - 1;
    });
  }
};
static_assert(grid<trailing>);

}  // namespace anodiff::grids
