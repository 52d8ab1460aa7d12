// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/concat.hpp>
#include <anodiff/ops/elementwise.cuh>

namespace anodiff::ops::cuda {

namespace detail {

template <class T>
__global__ void __launch_bounds__(elementwise_block) copy_channels_kernel(const copy_channels<T> op) {
  const index e = index{blockIdx.x} * elementwise_block + threadIdx.x;
  if (e >= op.pixels * op.count) return;
  const index i = e / op.count, c = e - i * op.count;
  T& to = op.to[i * op.to_stride + c];
  const T from = op.from[i * op.from_stride + c];
  to = op.accumulate ? to + from : from;
}

}  // namespace detail

inline void run(const copy_channels<float>& op, device::stream on) {
  if (op.pixels <= 0 || op.count <= 0) return;
  device::launch(on, {device::blocks_for(op.pixels * op.count, detail::elementwise_block), detail::elementwise_block},
                 &detail::copy_channels_kernel<float>, op);
}

}  // namespace anodiff::ops::cuda
