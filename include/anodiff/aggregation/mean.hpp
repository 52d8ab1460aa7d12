// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/aggregator.hpp>

namespace anodiff::aggregation {

/// The mean over the views, so that the score does not grow with their number.
class mean {
 public:
  using params = no_params;
  static constexpr std::string_view name = "mean";
  static constexpr bool needs_statistics = false;

  explicit mean(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double reduce(std::span<const double> values, std::span<const view_statistics>) const noexcept {
    double total = 0;
    for (const double value : values) total += value;
    return total / static_cast<double>(values.size());
  }
};
static_assert(aggregator<mean>);

}  // namespace anodiff::aggregation
