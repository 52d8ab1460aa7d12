// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>

namespace anodiff::test {

/// n rows of d correlated normal columns with means j and scales 1 + j, drawn from `seed`.
[[nodiscard]] inline tensor<double, 2> normal_rows(index n, index d, std::uint64_t seed) {
  tensor<double, 2> x{{n, d}};
  for (index i = 0; i < n; ++i) {
    const double common = random_normal({.seed = seed, .draw = 1}, static_cast<std::uint64_t>(i));
    for (index j = 0; j < d; ++j) {
      const double own = random_normal({.seed = seed}, static_cast<std::uint64_t>(i * d + j));
      x(i, j) = static_cast<double>(j) + (1 + static_cast<double>(j)) * (0.8 * common + 0.6 * own);
    }
  }
  return x;
}

/// The rows with a constant added to one column.
[[nodiscard]] inline tensor<double, 2> shifted(tensor<double, 2> x, index column, double by) {
  for (index i = 0; i < x.rows(); ++i) x(i, column) += by;
  return x;
}

/// size, a weight that follows it, and a colour: 2 where the size is above 0, else 0 or 1 in turn.
[[nodiscard]] inline tensor<double, 2> coloured_rows(index n, std::uint64_t seed) {
  tensor<double, 2> out{{n, 3}};
  const noise_key key{.seed = seed};
  for (index i = 0; i < n; ++i) {
    const auto at = static_cast<std::uint64_t>(i);
    const double size = random_normal(key, 2 * at);
    out(i, 0) = size;
    out(i, 1) = 3 * size + 0.3 * random_normal(key, 2 * at + 1);
    out(i, 2) = size > 0 ? 2 : static_cast<double>(i % 2);
  }
  return out;
}

/// The place of the largest evidence.
[[nodiscard]] inline index culprit(std::span<const float> evidence) {
  return static_cast<index>(std::ranges::max_element(evidence) - evidence.begin());
}

}  // namespace anodiff::test
