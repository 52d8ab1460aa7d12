// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// row_loss[i] = weight[level[i]] mean_j (F − target)², and gradient = d(scale Σ_i keep_i row_loss[i]) / dF.
template <class T>
struct squared_error {
  const T* output;            ///< F (rows, row_size)
  const T* target;            ///< (rows, row_size)
  const T* weight;            ///< (levels)
  const std::int32_t* level;  ///< (rows)
  double* row_loss;           ///< (rows)
  T* gradient = nullptr;      ///< (rows, row_size); may be output; null where only the loss is wanted
  index rows, row_size;
  T scale = 1;
};

namespace reference {

template <class T>
void run(const squared_error<T>& op) {
  for (index i = 0; i < op.rows; ++i) {
    const T weight = op.weight[op.level[i]];
    double sum = 0;
    for (index at = i * op.row_size; at < (i + 1) * op.row_size; ++at) {
      const T e = op.output[at] - op.target[at];
      sum += static_cast<double>(e) * static_cast<double>(e);
      if (op.gradient != nullptr) op.gradient[at] = 2 * op.scale * weight / static_cast<T>(op.row_size) * e;
    }
    op.row_loss[i] = static_cast<double>(weight) * sum / static_cast<double>(op.row_size);
  }
}

}  // namespace reference
}  // namespace anodiff::ops
