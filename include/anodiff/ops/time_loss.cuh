// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/elementwise.cuh>
#include <anodiff/ops/time_loss.hpp>

namespace anodiff::ops::cuda {

/// Relative error of a row's loss, and error of the gradient in units of max(1, |gradient|): all is in double, and the
/// gradient rounded once.
inline constexpr double time_loss_bound = 1e-7;

namespace detail {

/// A thread for each row, which has a few outputs.
template <class T>
__global__ void __launch_bounds__(elementwise_block) time_loss_kernel(const T op) {
  const index i = index{blockIdx.x} * elementwise_block + threadIdx.x;
  if (i < op.rows) op.run_row(i);
}

}  // namespace detail

template <class Law>
void run(const time_loss<float, Law>& op, device::stream on) {
  if (op.rows <= 0 || op.outputs <= 0) return;
  device::launch(on, {device::blocks_for(op.rows, detail::elementwise_block), detail::elementwise_block},
                 &detail::time_loss_kernel<time_loss<float, Law>>, op);
}

}  // namespace anodiff::ops::cuda
