// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/elementwise.cuh>
#include <anodiff/ops/time_features.hpp>

namespace anodiff::ops::cuda {

namespace detail {

/// One sinusoid a thread: small, and in double, so that hundreds of turns keep their phase.
template <class T>
__global__ void __launch_bounds__(elementwise_block) time_features_kernel(const time_features<T> op) {
  const index half = op.width / 2, at = index{blockIdx.x} * elementwise_block + threadIdx.x;
  if (at >= op.levels * half) return;
  const index i = at / half, k = at - i * half;
  const double turns =
      op.time[i] * exp(-log(op.period) * static_cast<double>(k) / static_cast<double>(half)) / 6.283185307179586476925;
  const double part = turns - floor(turns);  // of a turn: the argument stays small, and needs no table of 2 / pi
  double sine, cosine;
  device::sin_cos_pi(2 * part, sine, cosine);
  op.y[i * op.width + k] = device::from_float<T>(static_cast<float>(sine));
  op.y[i * op.width + half + k] = device::from_float<T>(static_cast<float>(cosine));
}

}  // namespace detail

/// op.time lies in device memory.
template <class T>
void run(const time_features<T>& op, device::stream on) {
  const index count = op.levels * (op.width / 2);
  if (count <= 0) return;
  device::launch(on, {device::blocks_for(count, detail::elementwise_block), detail::elementwise_block},
                 &detail::time_features_kernel<T>, op);
}

}  // namespace anodiff::ops::cuda
