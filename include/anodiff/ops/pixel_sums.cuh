// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/linear.cuh>
#include <anodiff/ops/pixel_sums.hpp>

namespace anodiff::ops::cuda {

/// Bound: that of add_columns.
inline void run(const pixel_sums<float>& op, device::stream on) {
  if (op.n <= 0 || op.channels <= 0) return;
  run(fill<float>{op.y, op.n * op.channels, 0}, on);
  for (index n = 0; n < op.n; ++n)
    run(add_columns<float>{op.x + n * op.pixels * op.channels, op.y + n * op.channels, op.pixels, op.channels}, on);
}

}  // namespace anodiff::ops::cuda
