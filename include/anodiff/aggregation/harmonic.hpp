// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/aggregator.hpp>

namespace anodiff::aggregation {

/// The harmonic mean: high only where every view is. 0 where a view is not above 0, which is as low as it goes. Bercea
/// et al. 2024 (THOR), arXiv:2403.08464, combine the maps of several noise levels so.
class harmonic {
 public:
  using params = no_params;
  static constexpr std::string_view name = "harmonic";
  static constexpr bool needs_statistics = false;

  explicit harmonic(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double reduce(std::span<const double> values, std::span<const view_statistics>) const noexcept {
    if (values.size() == 1) return values[0];
    double total = 0;
    for (const double value : values) {
      if (!(value > 0)) return 0;
      total += 1 / value;
    }
    return static_cast<double>(values.size()) / total;
  }
};
static_assert(aggregator<harmonic>);

}  // namespace anodiff::aggregation
