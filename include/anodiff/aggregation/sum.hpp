// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/aggregator.hpp>

namespace anodiff::aggregation {

/// Σ over the views: TabADM's score over noise levels (arXiv:2307.12336).
class sum {
 public:
  using params = no_params;
  static constexpr std::string_view name = "sum";
  static constexpr bool needs_statistics = false;

  explicit sum(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double reduce(std::span<const double> values, std::span<const view_statistics>) const noexcept {
    double total = 0;
    for (const double value : values) total += value;
    return total;
  }
};
static_assert(aggregator<sum>);

}  // namespace anodiff::aggregation
