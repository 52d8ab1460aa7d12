// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/elementwise.cuh>
#include <anodiff/ops/resample.hpp>

namespace anodiff::ops::cuda {

namespace detail {

/// value(row, column, channel) for each element of y (rows, width, channels), times scale, written or added.
template <class T, class Value>
__device__ __forceinline__ void write_pixels(T* y, index rows, std::uint32_t width, std::uint32_t channels, float scale,
                                             bool accumulate, Value value) {
  const std::uint32_t j = blockIdx.x * elementwise_block + threadIdx.x, column = j / channels;
  if (column >= width) return;
  for (index row = blockIdx.y; row < rows; row += gridDim.y) {
    T* const to = y + row * width * channels + j;
    const float v = scale * value(row, column, j - column * channels);
    *to = device::from_float<T>(accumulate ? device::to_float(*to) + v : v);
  }
}

template <class T>
__global__ void __launch_bounds__(elementwise_block) enlarge_kernel(const enlarge<T> op) {
  const auto width = static_cast<std::uint32_t>(op.width), channels = static_cast<std::uint32_t>(op.channels);
  write_pixels(op.y, op.n * 2 * op.height, 2 * width, channels, device::to_float(op.scale), op.accumulate,
               [&](index row, std::uint32_t column, std::uint32_t c) {
                 return device::to_float(op.x[(row / 2 * width + column / 2) * channels + c]);  // 2 height is even
               });
}

template <class T>
__global__ void __launch_bounds__(elementwise_block) reduce_kernel(const reduce<T> op) {
  const auto width = static_cast<std::uint32_t>(op.width), channels = static_cast<std::uint32_t>(op.channels);
  write_pixels(op.y, op.n * op.height, width, channels, device::to_float(op.scale), op.accumulate,
               [&](index row, std::uint32_t column, std::uint32_t c) {
                 const auto at = [&](index p, std::uint32_t q) {
                   return device::to_float(op.x[((2 * row + p) * 2 * width + 2 * column + q) * channels + c]);
                 };
                 return (at(0, 0) + at(0, 1)) + (at(1, 0) + at(1, 1));
               });
}

}  // namespace detail

template <class T>
void run(const enlarge<T>& op, device::stream on) {
  detail::launch_rows_of_elements(&detail::enlarge_kernel<T>, op, op.n * 2 * op.height, 2 * op.width * op.channels, on);
}
template <class T>
void run(const reduce<T>& op, device::stream on) {
  detail::launch_rows_of_elements(&detail::reduce_kernel<T>, op, op.n * op.height, op.width * op.channels, on);
}

}  // namespace anodiff::ops::cuda
