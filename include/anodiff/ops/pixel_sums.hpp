// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// y[n, c] = Σ x[n, :, c], the pixels taken in order.
template <class T>
struct pixel_sums {
  const T* x;  ///< (n, pixels, channels)
  T* y;        ///< (n, channels)
  index n, pixels, channels;
};

namespace reference {

template <class T>
void run(const pixel_sums<T>& op) {
  for (index n = 0; n < op.n; ++n)
    for (index c = 0; c < op.channels; ++c) {
      T sum = 0;
      for (index i = 0; i < op.pixels; ++i) sum += op.x[(n * op.pixels + i) * op.channels + c];
      op.y[n * op.channels + c] = sum;
    }
}

}  // namespace reference
}  // namespace anodiff::ops
