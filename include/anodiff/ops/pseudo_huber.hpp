// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>

namespace anodiff::ops {

/// row_loss[i] = mean_j 2 c² (√(1 + u² / c²) − 1) with u² = weight[level[i]] (F − target)²: u² where |u| is far below
/// c, 2 c |u| where it is far above; gradient = d(scale Σ_i row_loss[i]) / dF.
template <class T>
struct pseudo_huber {
  const T* output;            ///< F (rows, row_size)
  const T* target;            ///< (rows, row_size)
  const T* weight;            ///< (levels)
  const std::int32_t* level;  ///< (rows)
  double* row_loss;           ///< (rows)
  T* gradient = nullptr;      ///< (rows, row_size); may be output; null where only the loss is wanted
  index rows, row_size;
  T corner;  ///< c, above 0
  T scale = 1;
};

namespace reference {

template <class T>
void run(const pseudo_huber<T>& op) {
  const T square = op.corner * op.corner;
  for (index i = 0; i < op.rows; ++i) {
    const T weight = op.weight[op.level[i]], steepness = 2 * op.scale * weight / static_cast<T>(op.row_size);
    double sum = 0;
    for (index at = i * op.row_size; at < (i + 1) * op.row_size; ++at) {
      const T e = op.output[at] - op.target[at], u = weight * e * e;
      const T root = std::sqrt(1 + u / square);
      sum += static_cast<double>(u / (root + 1));  // c² (root − 1), without its cancellation
      if (op.gradient != nullptr) op.gradient[at] = steepness * e / root;
    }
    op.row_loss[i] = 2 * sum / static_cast<double>(op.row_size);
  }
}

}  // namespace reference
}  // namespace anodiff::ops
