// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/group_norm.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

/// Error against double arithmetic, in units of max(1, |y|), where |mean| is at most 10 standard deviations.
inline constexpr double group_norm_bound = 1e-5;

namespace detail {

/// One block a picture and group: two passes for the moments, a third that normalises, scales, shifts and activates.
template <bool Wide, class T>
__global__ void __launch_bounds__(block_team::block) group_norm_kernel(const group_norm_forward<T> op) {
  using namespace device;
  constexpr std::uint32_t lanes = Wide ? 4 : 1;
  const auto channels = static_cast<std::uint32_t>(op.channels),
             width = channels / static_cast<std::uint32_t>(op.groups),
             count = static_cast<std::uint32_t>(op.pixels) * width;
  const std::uint32_t group = blockIdx.x % static_cast<std::uint32_t>(op.groups),
                      n = blockIdx.x / static_cast<std::uint32_t>(op.groups);
  const std::size_t picture = std::size_t{n} * static_cast<std::uint32_t>(op.pixels) * channels;
  const auto each = [&](auto&& f) {  // f(place, channel, elements)
    for (std::uint32_t e = threadIdx.x * lanes; e < count; e += block_team::size * lanes) {
      const std::uint32_t pixel = e / width, c = group * width + (e - pixel * width);
      const std::size_t at = picture + std::size_t{pixel} * channels + c;
      float v[lanes];
      load<Wide>(op.x + at, lanes, v);
      f(at, c, v);
    }
  };
  float sum = 0, square = 0;
  each([&](std::size_t, std::uint32_t, float(&v)[lanes]) { unrolled<lanes>([&](auto k) { sum += v[k]; }); });
  const float mean = block_sum(sum) / static_cast<float>(count);
  each([&](std::size_t, std::uint32_t, float(&v)[lanes]) {
    unrolled<lanes>([&](auto k) { square = fused(v[k] - mean, v[k] - mean, square); });
  });
  const float inverse = inverse_root(block_sum(square) / static_cast<float>(count) + static_cast<float>(op.epsilon));
  if (threadIdx.x == 0) {
    if (op.mean != nullptr) op.mean[blockIdx.x] = from_float<T>(mean);
    if (op.inverse != nullptr) op.inverse[blockIdx.x] = from_float<T>(inverse);
  }
  const T* const row = op.table != nullptr ? op.table + index{op.level[n]} * 2 * op.channels : nullptr;
  each([&](std::size_t at, std::uint32_t c, float(&v)[lanes]) {
    float gain[lanes], bias[lanes];
    load<Wide>(op.gain + c, lanes, gain);
    load<Wide>(op.bias + c, lanes, bias);
    unrolled<lanes>([&](auto k) { v[k] = fused((v[k] - mean) * inverse, gain[k], bias[k]); });
    if (row != nullptr) {
      load<Wide>(row + c, lanes, gain);
      load<Wide>(row + channels + c, lanes, bias);
      unrolled<lanes>([&](auto k) { v[k] = fused(v[k], 1 + gain[k], bias[k]); });
    }
    unrolled<lanes>([&](auto k) { v[k] = activate(op.kind, v[k]); });
    store<Wide>(op.y + at, lanes, v);
  });
}

}  // namespace detail

/// Throws invalid_argument for a picture of 2^31 elements or more.
template <class T>
void run(const group_norm_forward<T>& op, device::stream on) {
  if (op.n <= 0 || op.pixels <= 0 || op.channels <= 0) return;
  check(op.pixels * op.channels < device::most_elements, "cuda: a picture has at most 2^31 - 1 elements, got ",
        op.pixels * op.channels);
  const bool wide = op.channels / op.groups % 4 == 0 && device::aligned(op.x) && device::aligned(op.y) &&
                    device::aligned(op.gain) && device::aligned(op.bias) && device::aligned(op.table);
  device::launch(on, {static_cast<unsigned>(op.n * op.groups), detail::block_team::block},
                 wide ? &detail::group_norm_kernel<true, T> : &detail::group_norm_kernel<false, T>, op);
}

}  // namespace anodiff::ops::cuda
