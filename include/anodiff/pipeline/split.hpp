// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
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

/// How many of n samples are kept from learning to calibrate on: a share of them, though at least 20, and never more
/// than half of them or the limit.
[[nodiscard]] inline index held_out_of(index n, double share, index limit) noexcept {
  if (share <= 0) return 0;
  return std::min({std::max<index>(20, static_cast<index>(share * static_cast<double>(n))), n / 2, limit});
}

}  // namespace anodiff
