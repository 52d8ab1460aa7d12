// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/pooler.hpp>
#include <anodiff/core/check.hpp>
#include <anodiff/core/shape.hpp>
#include <vector>

namespace anodiff::pooling {

struct top_k_params {
  index count = 20;  ///< elements whose mean is taken; [1, 2^24]; all of them where there are fewer

  static constexpr void fields(auto& self, auto&& field) { field("count", self.count); }
};

/// The mean of the largest elements, summed in double from the largest down: a spot must have some size to count.
class top_k {
 public:
  using params = top_k_params;
  static constexpr std::string_view name = "top_k";

  explicit top_k(params p = {}) : params_{p} {
    check(p.count >= 1 && p.count <= index{1} << 24, "pooling::top_k: count must lie in [1, 2^24], got ", p.count);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] double pool(std::span<const float> evidence) const {
    std::vector<float> largest(std::min(evidence.size(), static_cast<std::size_t>(params_.count)));
    std::partial_sort_copy(evidence.begin(), evidence.end(), largest.begin(), largest.end(),
                           [](float a, float b) { return a > b; });
    double total = 0;
    for (const float e : largest) total += static_cast<double>(e);
    return total / static_cast<double>(largest.size());
  }

 private:
  params params_;
};
static_assert(pooler<top_k>);

}  // namespace anodiff::pooling
