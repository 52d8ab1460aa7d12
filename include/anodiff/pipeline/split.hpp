// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/philox.hpp>
#include <anodiff/core/shape.hpp>
#include <numeric>
#include <vector>

namespace anodiff {

/// 0 … n − 1 in an order drawn from (seed, purpose split, step): the same on every machine. n at most 2^32.
[[nodiscard]] inline std::vector<index> shuffled_order(index n, std::uint64_t seed, std::uint32_t step = 0) {
  check(n >= 0 && n <= (index{1} << 32), "shuffled_order: n must lie in [0, 2^32], got ", n);
  std::vector<index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), index{0});
  const noise_key key{.seed = seed, .step = step, .use = purpose::split};
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_below(key, i, i)]);
  return order;
}

}  // namespace anodiff
