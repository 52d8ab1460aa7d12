// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/pooler.hpp>

namespace anodiff::pooling {

/// The mean of the evidence, summed in double.
class mean {
 public:
  using params = no_params;
  static constexpr std::string_view name = "mean";

  explicit mean(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] double pool(std::span<const float> evidence) const noexcept {
    double total = 0;
    for (const float e : evidence) total += e;
    return total / static_cast<double>(evidence.size());
  }
};
static_assert(pooler<mean>);

}  // namespace anodiff::pooling
