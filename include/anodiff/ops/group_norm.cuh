// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/group_norm.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

/// Error against double arithmetic, in units of max(1, |y|), where |mean| is at most 10 standard deviations.
inline constexpr double group_norm_bound = 1e-5;
/// The same of the gradients, in units of max(1, |gradient|), for sums of up to 4096 terms of mixed sign.
inline constexpr double group_norm_gradient_bound = 5e-5;

namespace detail {

/// Most elements of a group that stay in shared memory between the passes.
inline constexpr index group_norm_kept = 48 << 10;

/// One block a picture and group: two passes for the moments, a third that normalises, scales, shifts and activates.
/// Kept: memory is read once; each thread then finds its own elements in shared memory.
template <bool Wide, bool Kept, class T>
__global__ void __launch_bounds__(block_team::block) group_norm_kernel(const group_norm_forward<T> op) {
  using namespace device;
  constexpr std::uint32_t lanes = Wide ? 4 : 1;
  const auto channels = static_cast<std::uint32_t>(op.channels),
             width = channels / static_cast<std::uint32_t>(op.groups),
             count = static_cast<std::uint32_t>(op.pixels) * width;
  const std::uint32_t group = blockIdx.x % static_cast<std::uint32_t>(op.groups),
                      n = blockIdx.x / static_cast<std::uint32_t>(op.groups);
  const std::size_t picture = std::size_t{n} * static_cast<std::uint32_t>(op.pixels) * channels;
  float* const kept = Kept ? dynamic_shared<float>() : nullptr;
  const auto each = [&](bool first, auto&& f) {  // f(place, channel, elements)
    for (std::uint32_t e = threadIdx.x * lanes; e < count; e += block_team::size * lanes) {
      const std::uint32_t pixel = e / width, c = group * width + (e - pixel * width);
      const std::size_t at = picture + std::size_t{pixel} * channels + c;
      float v[lanes];
      if (Kept && !first)
        load<Wide>(kept + e, lanes, v);
      else
        load<Wide>(op.x + at, lanes, v);
      if (Kept && first) store<Wide>(kept + e, lanes, v);
      f(at, c, v);
    }
  };
  float sum = 0, square = 0;
  each(true, [&](std::size_t, std::uint32_t, float(&v)[lanes]) { unrolled<lanes>([&](auto k) { sum += v[k]; }); });
  const float mean = block_sum(sum) / static_cast<float>(count);
  each(false, [&](std::size_t, std::uint32_t, float(&v)[lanes]) {
    unrolled<lanes>([&](auto k) { square = fused(v[k] - mean, v[k] - mean, square); });
  });
  const float inverse = inverse_root(block_sum(square) / static_cast<float>(count) + static_cast<float>(op.epsilon));
  if (threadIdx.x == 0) {
    if (op.mean != nullptr) op.mean[blockIdx.x] = from_float<T>(mean);
    if (op.inverse != nullptr) op.inverse[blockIdx.x] = from_float<T>(inverse);
  }
  const T* const row = op.table != nullptr ? op.table + index{op.level[n]} * 2 * op.channels : nullptr;
  each(false, [&](std::size_t at, std::uint32_t c, float(&v)[lanes]) {
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

/// What a backward pass knows of an element's channel in one picture.
template <class T>
struct group_norm_channel {
  float mean, inverse, gain, bias, scale = 1, shift = 0;

  __device__ __forceinline__ group_norm_channel(const group_norm_backward<T>& op, index n, index c)
      : gain{op.gain[c]}, bias{op.bias[c]} {
    const index group = n * op.groups + c / (op.channels / op.groups);
    mean = op.mean[group];
    inverse = op.inverse[group];
    if (op.table == nullptr) return;
    const T* const row = op.table + index{op.level[n]} * 2 * op.channels;
    scale = 1 + row[c];
    shift = row[op.channels + c];
  }
  [[nodiscard]] __device__ __forceinline__ float normed(float x) const noexcept { return (x - mean) * inverse; }
  /// The gradient of what goes into the activation.
  [[nodiscard]] __device__ __forceinline__ float before(activation kind, float normed_x, float dy) const noexcept {
    return dy * slope(kind, device::fused(device::fused(normed_x, gain, bias), scale, shift));
  }
};

/// A block has 32 channels of a picture, each warp every 32nd pixel: sums = (Σ dz x̂, Σ dz), in this order until
/// group_norm_parameters_kernel.
template <class T>
__global__ void __launch_bounds__(1024) group_norm_sums_kernel(const group_norm_backward<T> op) {
  using namespace device;
  const unsigned warp = threadIdx.x / warp_size;
  const index n = blockIdx.y, c = index{blockIdx.x} * warp_size + lane();
  float product = 0, sum = 0;
  if (c < op.channels) {
    const group_norm_channel<T> of{op, n, c};
    for (index i = warp; i < op.pixels; i += warp_size) {
      const index at = (n * op.pixels + i) * op.channels + c;
      const float normed = of.normed(op.x[at]), dz = of.before(op.kind, normed, op.dy[at]);
      product = fused(dz, normed, product);
      sum += dz;
    }
  }
  product = sum_of_warps<0>(product);
  sum = sum_of_warps<1>(sum);
  if (warp != 0 || c >= op.channels) return;
  op.sums[n * 2 * op.channels + c] = product;
  op.sums[(n * 2 + 1) * op.channels + c] = sum;
}

/// One block a picture and group: the group's means from its channels' sums, then dx.
template <class T>
__global__ void __launch_bounds__(block_team::block) group_norm_slope_kernel(const group_norm_backward<T> op) {
  using namespace device;
  const index width = op.channels / op.groups, n = blockIdx.x / op.groups, first = blockIdx.x % op.groups * width;
  const T *const products = op.sums + n * 2 * op.channels, *const plain = products + op.channels;
  float product = 0, sum = 0;
  for (index c = first + threadIdx.x; c < first + width; c += block_team::block) {
    const group_norm_channel<T> of{op, n, c};
    product = fused(of.scale * of.gain, products[c], product);
    sum = fused(of.scale * of.gain, plain[c], sum);
  }
  const auto count = static_cast<float>(op.pixels * width);
  const float slant = block_sum(product) / count, average = block_sum(sum) / count;
  const auto narrow = static_cast<std::uint32_t>(width), all = static_cast<std::uint32_t>(op.pixels) * narrow;
  for (std::uint32_t e = threadIdx.x; e < all; e += block_team::block) {
    const std::uint32_t pixel = e / narrow;
    const index c = first + (e - pixel * narrow), at = (n * op.pixels + pixel) * op.channels + c;
    const group_norm_channel<T> of{op, n, c};
    const float normed = of.normed(op.x[at]), dz = of.before(op.kind, normed, op.dy[at]);
    const float value = (fused(dz, of.scale * of.gain, -average) - normed * slant) * of.inverse;
    op.dx[at] = op.accumulate ? op.dx[at] + value : value;
  }
}

/// One thread a channel, the pictures in order; sums become what the operation promises.
template <class T>
__global__ void __launch_bounds__(block_team::block) group_norm_parameters_kernel(const group_norm_backward<T> op) {
  const index c = index{blockIdx.x} * block_team::block + threadIdx.x;
  if (c >= op.channels) return;
  float gain = op.dgain != nullptr ? op.dgain[c] : 0, bias = op.dgain != nullptr ? op.dbias[c] : 0;
  for (index n = 0; n < op.n; ++n) {
    const group_norm_channel<T> of{op, n, c};
    T& product = op.sums[n * 2 * op.channels + c];
    const T sum = op.sums[(n * 2 + 1) * op.channels + c];
    gain = device::fused(of.scale, product, gain);
    bias = device::fused(of.scale, sum, bias);
    product = device::fused(of.gain, product, of.bias * sum);
  }
  if (op.dgain == nullptr) return;
  op.dgain[c] = gain;
  op.dbias[c] = bias;
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
  const index group = op.pixels * (op.channels / op.groups);
  const bool kept = group <= detail::group_norm_kept;
  device::launch(on,
                 {static_cast<unsigned>(op.n * op.groups), detail::block_team::block,
                  kept ? static_cast<std::size_t>(group) * sizeof(float) : 0},
                 wide   ? kept ? &detail::group_norm_kernel<true, true, T> : &detail::group_norm_kernel<true, false, T>
                   : kept ? &detail::group_norm_kernel<false, true, T>
                        : &detail::group_norm_kernel<false, false, T>,
                 op);
}

/// Throws invalid_argument for a picture of 2^31 elements or more, or more than 65535 pictures.
inline void run(const group_norm_backward<float>& op, device::stream on) {
  if (op.n <= 0 || op.pixels <= 0 || op.channels <= 0) return;
  check(op.pixels * op.channels < device::most_elements && op.n <= 65535,
        "cuda: group_norm_backward takes at most 65535 pictures of at most 2^31 - 1 elements, got ", op.n, " of ",
        op.pixels * op.channels);
  device::launch(on, {{device::blocks_for(op.channels, device::warp_size), static_cast<unsigned>(op.n)}, 1024},
                 &detail::group_norm_sums_kernel<float>, op);
  if (op.dx != nullptr)
    device::launch(on, {static_cast<unsigned>(op.n * op.groups), detail::block_team::block},
                   &detail::group_norm_slope_kernel<float>, op);
  device::launch(on, {device::blocks_for(op.channels, detail::block_team::block), detail::block_team::block},
                 &detail::group_norm_parameters_kernel<float>, op);
}

}  // namespace anodiff::ops::cuda
