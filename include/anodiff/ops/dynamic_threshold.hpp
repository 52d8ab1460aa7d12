// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/shape.hpp>
#include <cmath>
#include <vector>

namespace anodiff::ops {

/// Largest error, as a share of the limit.
inline constexpr double dynamic_threshold_bound = 1e-6;

/// Each row in place: with s the quantile of its elements' sizes, linear between two of them, but at least `limit` and
/// at most `most`, every element v becomes limit clip(v, −s, s) / s (Saharia et al. 2022, arXiv:2205.11487, section
/// 2.3).
template <class T>
struct dynamic_threshold {
  T* values;  ///< (rows, row_size)
  index rows, row_size;
  double share;          ///< of the elements that do not exceed the quantile; (0, 1]
  double limit, most;    ///< 0 < limit ≤ most
  T* scratch = nullptr;  ///< (rows, row_size); the reference needs none
};

/// The quantile of sizes, which are put in another order; at least one.
template <class T>
[[nodiscard]] double quantile_of(T* sizes, index count, double share) noexcept {
  const double place = share * static_cast<double>(count - 1);
  const auto below = static_cast<index>(place);
  std::nth_element(sizes, sizes + below, sizes + count);
  const auto low = static_cast<double>(sizes[below]);
  if (below + 1 == count) return low;
  return std::lerp(low, static_cast<double>(*std::min_element(sizes + below + 1, sizes + count)),
                   place - static_cast<double>(below));
}

namespace reference {

template <class T>
void run(const dynamic_threshold<T>& op) {
  std::vector<T> sizes(static_cast<std::size_t>(op.row_size));
  for (index i = 0; i < op.rows && op.row_size > 0; ++i) {
    T* row = op.values + i * op.row_size;
    std::transform(row, row + op.row_size, sizes.begin(), [](T v) { return std::abs(v); });
    std::ranges::sort(sizes);
    const double place = op.share * static_cast<double>(op.row_size - 1), below = std::floor(place);
    const auto low = static_cast<std::size_t>(below), high = std::min(low + 1, sizes.size() - 1);
    const double s =
        std::clamp(static_cast<double>(sizes[low]) + (place - below) * static_cast<double>(sizes[high] - sizes[low]),
                   op.limit, op.most);
    for (index j = 0; j < op.row_size; ++j)
      row[j] = static_cast<T>(op.limit * std::clamp(static_cast<double>(row[j]), -s, s) / s);
  }
}

}  // namespace reference
}  // namespace anodiff::ops
