// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/blur.hpp>
#include <anodiff/ops/elementwise.cuh>

namespace anodiff::ops::cuda {

/// A separable blur of pictures in their plane, the border mirrored without its outermost pixel: ops::blur with
/// gaussian_weights, a box with equal weights. Error: 1e-6 of the largest |x|.
template <class T>
struct blur_pictures {
  const T* x;            ///< (n, height, width, channels)
  T* y;                  ///< like x; may be x
  T* scratch;            ///< like x
  const float* weights;  ///< (radius + 1), from the middle outwards
  index radius, n, height, width, channels;
};

namespace detail {

/// One pass over the middle extent of (outer, count, inner).
template <class T>
__global__ void __launch_bounds__(elementwise_block)
    blur_pass_kernel(const T* x, T* y, const float* weights, index radius, index outer, index count,
                     std::uint32_t inner) {
  const std::uint32_t k = blockIdx.x * elementwise_block + threadIdx.x;
  if (k >= inner) return;
  for (index row = blockIdx.y; row < outer * count; row += gridDim.y) {
    const index i = row % count;
    const T* const from = x + (row - i) * inner + k;
    float sum = weights[0] * device::to_float(from[i * inner]);
    for (index r = 1; r <= radius; ++r)
      sum = device::fused(weights[r],
                          device::to_float(from[reflected(i - r, count) * inner]) +
                              device::to_float(from[reflected(i + r, count) * inner]),
                          sum);
    y[row * inner + k] = device::from_float<T>(sum);
  }
}

template <class T>
void launch_blur_pass(const T* x, T* y, const float* weights, index radius, index outer, index count, index inner,
                      device::stream on) {
  const index rows = outer * count;
  device::launch(on,
                 {{device::blocks_for(inner, elementwise_block), static_cast<unsigned>(rows < 65535 ? rows : 65535)},
                  elementwise_block},
                 &blur_pass_kernel<T>, x, y, weights, radius, outer, count, inner);
}

}  // namespace detail

template <class T>
void run(const blur_pictures<T>& op, device::stream on) {
  if (op.n <= 0 || op.height <= 0 || op.width <= 0 || op.channels <= 0) return;
  detail::launch_blur_pass(op.x, op.scratch, op.weights, op.radius, op.n, op.height, op.width * op.channels, on);
  detail::launch_blur_pass<T>(op.scratch, op.y, op.weights, op.radius, op.n * op.height, op.width, op.channels, on);
}

}  // namespace anodiff::ops::cuda
