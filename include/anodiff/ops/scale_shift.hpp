// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.hpp>

namespace anodiff::ops {

/// y = f(x (1 + s) + t) with s and t a vector over channels for each noise level, side by side in one table: (s, t).
/// Dhariwal & Nichol 2021, arXiv:2105.05233, section 3, without the normalisation.
template <class T>
struct scale_shift_forward {
  const T* x;                 ///< (n, pixels, channels)
  const T* table;             ///< (levels, 2 channels)
  const std::int32_t* level;  ///< (n)
  T* y;                       ///< (n, pixels, channels); may be x
  index n, pixels, channels;
  activation kind = activation::identity;
};

/// Gradients of scale_shift_forward. The table's gradient comes as one row for each picture, which scatter_rows
/// (ops/linear.hpp) adds up by level; the pixels of a picture are taken in order.
template <class T>
struct scale_shift_backward {
  const T *x, *dy;            ///< (n, pixels, channels)
  const T* table;             ///< (levels, 2 channels)
  const std::int32_t* level;  ///< (n)
  T* sums = nullptr;          ///< (n, 2 channels)
  T* dx = nullptr;            ///< (n, pixels, channels); may be dy
  bool accumulate = false;    ///< adds to dx
  index n, pixels, channels;
  activation kind = activation::identity;
};

namespace reference {

template <class T>
void run(const scale_shift_forward<T>& op) {
  for (index n = 0; n < op.n; ++n)
    for (index i = 0; i < op.pixels; ++i)
      for (index c = 0; c < op.channels; ++c) {
        const T* row = op.table + op.level[n] * 2 * op.channels;
        const index at = (n * op.pixels + i) * op.channels + c;
        op.y[at] = activate(op.kind, op.x[at] * (1 + row[c]) + row[op.channels + c]);
      }
}

template <class T>
void run(const scale_shift_backward<T>& op) {
  for (index n = 0; n < op.n; ++n)
    for (index c = 0; c < op.channels; ++c) {
      const T* row = op.table + op.level[n] * 2 * op.channels;
      T scale = 0, shift = 0;
      for (index i = 0; i < op.pixels; ++i) {
        const index at = (n * op.pixels + i) * op.channels + c;
        const T dz = op.dy[at] * slope(op.kind, op.x[at] * (1 + row[c]) + row[op.channels + c]);
        scale += dz * op.x[at];
        shift += dz;
        if (op.dx != nullptr) op.dx[at] = (op.accumulate ? op.dx[at] : T{0}) + dz * (1 + row[c]);
      }
      if (op.sums == nullptr) continue;
      op.sums[n * 2 * op.channels + c] = scale;
      op.sums[(n * 2 + 1) * op.channels + c] = shift;
    }
}

}  // namespace reference
}  // namespace anodiff::ops
