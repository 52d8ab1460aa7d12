// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/aggregator.hpp>
#include <vector>

namespace anodiff::aggregation {

/// The middle view, or the mean of the middle two: one repeat that went astray does not count. Liu et al. 2023 (LMD),
/// arXiv:2302.10326, take it over repeats.
class median {
 public:
  using params = no_params;
  static constexpr std::string_view name = "median";
  static constexpr bool needs_statistics = false;

  explicit median(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double reduce(std::span<const double> values, std::span<const view_statistics>) const {
    std::vector<double> sorted(values.begin(), values.end());
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return sorted.size() % 2 == 1 ? *middle : (*std::max_element(sorted.begin(), middle) + *middle) / 2;
  }
};
static_assert(aggregator<median>);

}  // namespace anodiff::aggregation
