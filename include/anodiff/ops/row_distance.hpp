// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>

namespace anodiff::ops {

/// l1: |x − y|; l2: (x − y)².
enum class distance_kind { l1, l2 };

/// How far two rows lie apart, element by element.
template <class T>
struct row_distance {
  const T *x, *y;  ///< (rows, row_size)
  T* evidence;     ///< (rows, row_size); may be x or y
  index rows, row_size;
  distance_kind kind;
};

namespace reference {

template <class T>
void run(const row_distance<T>& op) {
  for (index i = 0; i < op.rows * op.row_size; ++i) {
    const T e = op.x[i] - op.y[i];
    op.evidence[i] = op.kind == distance_kind::l1 ? std::abs(e) : e * e;
  }
}

}  // namespace reference
}  // namespace anodiff::ops
