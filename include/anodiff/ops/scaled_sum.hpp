// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// y = scale (a + b), or y += that.
template <class T>
struct scaled_sum {
  const T* a;
  const T* b = nullptr;  ///< null: nothing is added to a
  T* y;                  ///< may be a or b
  index count;
  T scale = 1;
  bool accumulate = false;
};

namespace reference {

template <class T>
void run(const scaled_sum<T>& op) {
  for (index i = 0; i < op.count; ++i) {
    const T value = (op.a[i] + (op.b != nullptr ? op.b[i] : T{0})) * op.scale;
    op.y[i] = op.accumulate ? op.y[i] + value : value;
  }
}

}  // namespace reference
}  // namespace anodiff::ops
