// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// Each row times the factor of its level.
template <class T>
struct scale_rows {
  const T* x;                 ///< (rows, row_size)
  T* y;                       ///< (rows, row_size); may be x
  const T* factor;            ///< (levels)
  const std::int32_t* level;  ///< (rows)
  index rows, row_size;
};

namespace reference {

template <class T>
void run(const scale_rows<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index j = 0; j < op.row_size; ++j)
      op.y[i * op.row_size + j] = op.factor[op.level[i]] * op.x[i * op.row_size + j];
}

}  // namespace reference
}  // namespace anodiff::ops
