// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/aggregator.hpp>

namespace anodiff::aggregation {

/// The least anomalous view: a sample is normal if one rebuild of several explains it. Flaborea et al. 2023 (MoCoDAD),
/// arXiv:2307.07205.
class minimum {
 public:
  using params = no_params;
  static constexpr std::string_view name = "minimum";
  static constexpr bool needs_statistics = false;

  explicit minimum(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double reduce(std::span<const double> values, std::span<const view_statistics>) const noexcept {
    return *std::min_element(values.begin(), values.end());
  }
};
static_assert(aggregator<minimum>);

}  // namespace anodiff::aggregation
