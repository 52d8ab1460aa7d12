// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// Each pixel of x becomes a square of 2 by 2 equal ones, times scale: the nearest neighbour's enlargement with scale
/// 1, the gradient of the mean of four with scale ¼.
template <class T>
struct enlarge {
  const T* x;  ///< (n, height, width, channels)
  T* y;        ///< (n, 2 height, 2 width, channels); not x
  index n, height, width, channels;
  T scale = 1;
  bool accumulate = false;  ///< adds to y instead of writing it
};

/// Each square of 2 by 2 pixels of x becomes their sum times scale: the mean of four with scale ¼, the gradient of the
/// nearest neighbour's enlargement with scale 1.
template <class T>
struct reduce {
  const T* x;  ///< (n, 2 height, 2 width, channels)
  T* y;        ///< (n, height, width, channels); not x
  index n, height, width, channels;
  T scale = T(0.25);
  bool accumulate = false;  ///< adds to y instead of writing it
};

namespace reference {

template <class T>
void run(const enlarge<T>& op) {
  for (index n = 0; n < op.n; ++n)
    for (index i = 0; i < 2 * op.height; ++i)
      for (index j = 0; j < 2 * op.width; ++j)
        for (index c = 0; c < op.channels; ++c) {
          T& y = op.y[((n * 2 * op.height + i) * 2 * op.width + j) * op.channels + c];
          const T value = op.scale * op.x[((n * op.height + i / 2) * op.width + j / 2) * op.channels + c];
          y = op.accumulate ? y + value : value;
        }
}

template <class T>
void run(const reduce<T>& op) {
  for (index n = 0; n < op.n; ++n)
    for (index i = 0; i < op.height; ++i)
      for (index j = 0; j < op.width; ++j)
        for (index c = 0; c < op.channels; ++c) {
          T& y = op.y[((n * op.height + i) * op.width + j) * op.channels + c];
          const auto at = [&](index p, index q) {
            return op.x[((n * 2 * op.height + 2 * i + p) * 2 * op.width + 2 * j + q) * op.channels + c];
          };
          const T value = ((at(0, 0) + at(0, 1)) + (at(1, 0) + at(1, 1))) * op.scale;
          y = op.accumulate ? y + value : value;
        }
}

}  // namespace reference
}  // namespace anodiff::ops
