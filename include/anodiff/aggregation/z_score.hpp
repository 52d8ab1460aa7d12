// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/aggregator.hpp>

namespace anodiff::aggregation {

/// Mean of (value − mean) / deviation, each view measured against its own statistics over normal rows, so that noisy
/// levels do not drown quiet ones. Graham et al. 2023 (DDPM-OOD), arXiv:2211.07740, section 3.2.
class z_score {
 public:
  using params = no_params;
  static constexpr std::string_view name = "z_score";
  static constexpr bool needs_statistics = true;

  explicit z_score(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double reduce(std::span<const double> values, std::span<const view_statistics> normal) const noexcept {
    double total = 0;
    for (std::size_t i = 0; i < values.size(); ++i) total += (values[i] - normal[i].mean) / normal[i].deviation;
    return total / static_cast<double>(values.size());
  }
};
static_assert(aggregator<z_score>);

}  // namespace anodiff::aggregation
