// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/fir_resample.hpp>
#include <anodiff/ops/resample.cuh>

namespace anodiff::ops::cuda {

namespace detail {

/// Each pixel sums its taps in the order of the reference.
template <class T, std::size_t Taps, class Op>
__device__ __forceinline__ void write_filtered(const Op& op, index from_height, index from_width, index to_height,
                                               index to_width, ops::detail::fir_taps<T, Taps> (*taps)(index, index)) {
  write_pixels(op.y, op.n * to_height, static_cast<std::uint32_t>(to_width), static_cast<std::uint32_t>(op.channels),
               op.scale, op.accumulate, [&](index row, std::uint32_t column, std::uint32_t c) {
                 const T* const x = op.x + row / to_height * from_height * from_width * op.channels + c;
                 T sum = 0;
                 ops::detail::for_each_fir_tap(
                     taps(row % to_height, from_height), taps(column, from_width), from_width,
                     [&](index at, T weight) { sum = device::fused(weight, x[at * op.channels], sum); });
                 return sum;
               });
}

template <class T>
__global__ void __launch_bounds__(elementwise_block) fir_enlarge_kernel(const fir_enlarge<T> op) {
  write_filtered<T, 2>(op, op.height, op.width, 2 * op.height, 2 * op.width, ops::detail::enlarging_taps<T>);
}
template <class T>
__global__ void __launch_bounds__(elementwise_block) fir_reduce_kernel(const fir_reduce<T> op) {
  write_filtered<T, 4>(op, 2 * op.height, 2 * op.width, op.height, op.width, ops::detail::reducing_taps<T>);
}

}  // namespace detail

inline void run(const fir_enlarge<float>& op, device::stream on) {
  detail::launch_rows_of_elements(&detail::fir_enlarge_kernel<float>, op, op.n * 2 * op.height,
                                  2 * op.width * op.channels, on);
}
inline void run(const fir_reduce<float>& op, device::stream on) {
  detail::launch_rows_of_elements(&detail::fir_reduce_kernel<float>, op, op.n * op.height, op.width * op.channels, on);
}

}  // namespace anodiff::ops::cuda
