// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// Copies, or adds, `count` neighbouring channels of each pixel from one place to another: two of them join the
/// channels of two pictures, and two give the gradient back.
template <class T>
struct copy_channels {
  const T* from;      ///< first channel copied of the first pixel
  index from_stride;  ///< channels of a pixel there
  T* to;              ///< likewise; not overlapping
  index to_stride;
  index pixels, count;
  bool accumulate = false;  ///< adds instead of copying
};

namespace reference {

template <class T>
void run(const copy_channels<T>& op) {
  for (index i = 0; i < op.pixels; ++i)
    for (index c = 0; c < op.count; ++c) {
      T& to = op.to[i * op.to_stride + c];
      to = (op.accumulate ? to : T{0}) + op.from[i * op.from_stride + c];
    }
}

}  // namespace reference
}  // namespace anodiff::ops
