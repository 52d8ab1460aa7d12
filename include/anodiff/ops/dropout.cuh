// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/dropout.hpp>
#include <anodiff/ops/noise.cuh>

namespace anodiff::ops::cuda {

namespace detail {

template <class T>
struct dropout_arguments {
  const T* x;
  T* y;
  std::uint32_t count, limit;  ///< a word below limit drops its element
  float scale;
  bool accumulate;
};

template <bool Wide, class T>
__global__ void __launch_bounds__(elementwise_block)
    dropout_kernel(const dropout_arguments<T> op, const noise_source noise) {
  constexpr int lanes = device::lanes_of<T>;
  const std::uint32_t at = (blockIdx.x * elementwise_block + threadIdx.x) * lanes;
  if (at >= op.count) return;
  const std::uint32_t left = op.count - at;
  float x[lanes], factor[lanes], y[lanes] = {};
  device::load<Wide>(op.x + at, left, x);
  if (op.accumulate) device::load<Wide>(op.y + at, left, y);
  draw(noise, at, left, factor, [&](const noise_key& key, std::uint32_t counter, float(&four)[4]) {
    const auto words = words_of(key, counter);
    device::unrolled<4>([&](auto k) { four[k] = words[k] >= op.limit ? op.scale : 0.0F; });
  });
  device::unrolled<lanes>([&](auto k) {
    if (factor[k] != 0) y[k] = device::fused(x[k], factor[k], y[k]);
  });
  device::store<Wide>(op.y + at, left, y);
}

}  // namespace detail

/// T: float, device::half or device::bfloat16. The elements kept are those that every engine keeps.
template <class T>
void run(const dropout<T>& op, device::stream on) {
  detail::for_each_countable(op.rows, op.width, [&](index first, index rows) {
    constexpr int lanes = device::lanes_of<T>;
    const index skip = first * op.width;
    const detail::dropout_arguments<T> a{.x = op.x + skip,
                                         .y = op.y + skip,
                                         .count = static_cast<std::uint32_t>(rows * op.width),
                                         .limit = static_cast<std::uint32_t>(op.rate * 0x1p32),
                                         .scale = static_cast<float>(1 / (1 - op.rate)),
                                         .accumulate = op.accumulate};
    device::launch(on,
                   {device::blocks_for((index{a.count} + lanes - 1) / lanes, detail::elementwise_block),
                    detail::elementwise_block},
                   device::aligned(a.x) && device::aligned(a.y) ? &detail::dropout_kernel<true, T>
                                                                : &detail::dropout_kernel<false, T>,
                   a, detail::noise_source{detail::from_row(op.noise, first), op.width, lanes});
  });
}

}  // namespace anodiff::ops::cuda
