// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// y[i] = table[id[i]]: learned rows by number. The backward pass is scatter_rows (ops/linear.hpp). The caller checks
/// that each id lies in [0, count).
template <class T>
struct embedding_forward {
  const T* table;          ///< (count, width)
  const std::int32_t* id;  ///< (rows)
  T* y;                    ///< (rows, width); not table
  index rows, width;
};

namespace reference {

template <class T>
void run(const embedding_forward<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index j = 0; j < op.width; ++j) op.y[i * op.width + j] = op.table[op.id[i] * op.width + j];
}

}  // namespace reference
}  // namespace anodiff::ops
