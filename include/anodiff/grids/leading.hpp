// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/picked.hpp>

namespace anodiff::grids {

/// Whole strides of ⌊size / steps⌋ that begin at the cleanest level: 0, k, 2k, … The noisiest level is left out unless
/// the stride is 1. Song et al. 2020, arXiv:2010.02502, appendix D.2.
class leading {
 public:
  using params = no_params;
  static constexpr std::string_view name = "leading";

  explicit leading(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    const auto size = static_cast<index>(schedule.size());
    return picked("grids::leading", schedule, steps, [=](index i) { return i * (size / steps); });
  }
};
static_assert(grid<leading>);

}  // namespace anodiff::grids
