// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/affine.hpp>
#include <anodiff/ops/elementwise.cuh>

namespace anodiff::ops::cuda {

namespace detail {

template <class T>
__global__ void __launch_bounds__(elementwise_block) affine_kernel(const affine<T> op) {
  const index j = index{blockIdx.x} * elementwise_block + threadIdx.x;
  if (j >= op.row_size) return;
  for (index i = blockIdx.y; i < op.rows; i += gridDim.y) {
    const index at = i * op.row_size + j;
    const T value = device::fused(op.slope(i), op.x[at], op.offset);
    op.y[at] = op.accumulate ? op.y[at] + value : value;
  }
}

}  // namespace detail

inline void run(const affine<float>& op, device::stream on) {
  detail::launch_rows_of_elements(&detail::affine_kernel<float>, op, op.rows, op.row_size, on);
}

}  // namespace anodiff::ops::cuda
