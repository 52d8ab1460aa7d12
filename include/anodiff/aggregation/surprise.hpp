// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/aggregator.hpp>

namespace anodiff::aggregation {

/// Sum over the views of −log10 of how rare a value is among normal ones: Fisher's combination of p-values (1925),
/// element by element. It asks for values that are such already: a picture detector makes them with a
/// calibration::tail_curve of each view, and sums over its scales too.
class surprise {
 public:
  using params = no_params;
  static constexpr std::string_view name = "surprise";
  static constexpr bool needs_statistics = false;
  static constexpr bool needs_tails = true;

  explicit surprise(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double reduce(std::span<const double> values, std::span<const view_statistics>) const noexcept {
    double total = 0;
    for (const double v : values) total += v;
    return total;
  }
};
static_assert(aggregator<surprise>);

}  // namespace anodiff::aggregation
