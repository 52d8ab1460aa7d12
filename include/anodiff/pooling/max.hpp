// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/pooler.hpp>

namespace anodiff::pooling {

/// The largest element: one bad spot is enough.
class max {
 public:
  using params = no_params;
  static constexpr std::string_view name = "max";

  explicit max(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double pool(std::span<const float> evidence) const noexcept {
    return *std::max_element(evidence.begin(), evidence.end());
  }
};
static_assert(pooler<max>);

}  // namespace anodiff::pooling
