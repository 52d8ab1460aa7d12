// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/elementwise.cuh>
#include <anodiff/ops/embedding.hpp>

namespace anodiff::ops::cuda {

namespace detail {

template <class T>
__global__ void __launch_bounds__(elementwise_block) embedding_kernel(const embedding_forward<T> op) {
  const index j = index{blockIdx.x} * elementwise_block + threadIdx.x;
  if (j >= op.width) return;
  for (index i = blockIdx.y; i < op.rows; i += gridDim.y) op.y[i * op.width + j] = op.table[op.id[i] * op.width + j];
}

}  // namespace detail

/// The backward pass is scatter_rows (ops/linear.cuh).
template <class T>
void run(const embedding_forward<T>& op, device::stream on) {
  detail::launch_rows_of_elements(&detail::embedding_kernel<T>, op, op.rows, op.width, on);
}

}  // namespace anodiff::ops::cuda
