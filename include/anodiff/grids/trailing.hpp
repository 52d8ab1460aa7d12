// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/picked.hpp>
#include <cmath>
namespace anodiff::grids {

/// Even strides of size / steps that end at the noisiest level: each i-th lies at round(size (i + 1) / steps) − 1. Lin
/// et al. 2023, arXiv:2305.08891, table 2.
class trailing {
 public:
  using params = no_params;
  static constexpr std::string_view name = "trailing";

  explicit trailing(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    const auto size = static_cast<index>(schedule.size());
    return picked("grids::trailing", schedule, steps, [=](index i) {
      return static_cast<index>(
                 std::llround(static_cast<double>(size) * static_cast<double>(i + 1) / static_cast<double>(steps))) -
             1;
    });
  }
};
static_assert(grid<trailing>);

}  // namespace anodiff::grids
