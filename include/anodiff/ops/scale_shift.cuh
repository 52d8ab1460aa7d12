// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/row_team.cuh>
#include <anodiff/ops/scale_shift.hpp>

namespace anodiff::ops::cuda {

/// Error of the sums over pixels against double arithmetic, in units of max(1, |sum|), for up to 4096 pixels of mixed
/// sign.
inline constexpr double scale_shift_bound = 5e-5;

namespace detail {

template <class T>
__global__ void __launch_bounds__(elementwise_block) scale_shift_kernel(const scale_shift_forward<T> op) {
  const index c = index{blockIdx.x} * elementwise_block + threadIdx.x;
  if (c >= op.channels) return;
  for (index i = blockIdx.y; i < op.n * op.pixels; i += gridDim.y) {
    const T* const row = op.table + index{op.level[i / op.pixels]} * 2 * op.channels;
    op.y[i * op.channels + c] =
        activate(op.kind, device::fused(op.x[i * op.channels + c], 1 + row[c], row[op.channels + c]));
  }
}

/// A block has 32 channels of a picture, each warp every 32nd pixel; the warps' sums are added in order.
template <class T>
__global__ void __launch_bounds__(1024) scale_shift_slope_kernel(const scale_shift_backward<T> op) {
  using namespace device;
  const unsigned warp = threadIdx.x / warp_size;
  const index n = blockIdx.y, c = index{blockIdx.x} * warp_size + lane();
  float scale = 0, shift = 0;
  if (c < op.channels) {
    const T* const row = op.table + index{op.level[n]} * 2 * op.channels;
    const float factor = 1 + row[c], offset = row[op.channels + c];
    for (index i = warp; i < op.pixels; i += warp_size) {
      const index at = (n * op.pixels + i) * op.channels + c;
      const float x = op.x[at], dz = op.dy[at] * slope(op.kind, fused(x, factor, offset));
      scale = fused(dz, x, scale);
      shift += dz;
      if (op.dx != nullptr) op.dx[at] = op.accumulate ? fused(dz, factor, op.dx[at]) : dz * factor;
    }
  }
  if (op.sums == nullptr) return;
  scale = sum_of_warps<0>(scale);
  shift = sum_of_warps<1>(shift);
  if (warp != 0 || c >= op.channels) return;
  op.sums[n * 2 * op.channels + c] = scale;
  op.sums[(n * 2 + 1) * op.channels + c] = shift;
}

}  // namespace detail

inline void run(const scale_shift_forward<float>& op, device::stream on) {
  detail::launch_rows_of_elements(&detail::scale_shift_kernel<float>, op, op.n * op.pixels, op.channels, on);
}

/// Throws invalid_argument for more than 65535 pictures.
inline void run(const scale_shift_backward<float>& op, device::stream on) {
  if (op.n <= 0 || op.channels <= 0) return;
  check(op.n <= 65535, "cuda: scale_shift_backward takes at most 65535 pictures, got ", op.n);
  device::launch(on, {{device::blocks_for(op.channels, device::warp_size), static_cast<unsigned>(op.n)}, 1024},
                 &detail::scale_shift_slope_kernel<float>, op);
}

}  // namespace anodiff::ops::cuda
