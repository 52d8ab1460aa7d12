// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// y[i] = factor[level[i]] scale x[i] + offset, or y += that; the backward pass is the same with offset 0.
template <class T>
struct affine {
  const T* x;  ///< (rows, row_size)
  T* y;        ///< (rows, row_size); may be x
  index rows, row_size;
  T scale = 1, offset = 0;
  const T* factor = nullptr;            ///< (levels); null: 1
  const std::int32_t* level = nullptr;  ///< (rows); read with a factor
  bool accumulate = false;

  [[nodiscard]] constexpr T slope(index row) const noexcept {
    return factor != nullptr ? factor[level[row]] * scale : scale;
  }
};

namespace reference {

template <class T>
void run(const affine<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index j = 0; j < op.row_size; ++j) {
      const index at = i * op.row_size + j;
      const T value = op.slope(i) * op.x[at] + op.offset;
      op.y[at] = op.accumulate ? op.y[at] + value : value;
    }
}

}  // namespace reference
}  // namespace anodiff::ops
