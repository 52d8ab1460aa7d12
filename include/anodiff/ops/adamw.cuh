// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/adamw.hpp>
#include <anodiff/ops/elementwise.cuh>

namespace anodiff::ops::cuda {

/// Relative error of one step of adamw_step against double arithmetic, of each of its results.
inline constexpr double adamw_bound = 1e-6;

/// An AdamW step whose gradient is scaled down to the norm `clip` where *square, its squared norm in device memory, is
/// above that of it; step.gradient_scale is not read. The host need not wait for the norm.
struct clipped_adamw {
  adamw_step<float> step;
  const double* square = nullptr;  ///< null: no clipping
  float clip = 0;
  /// Rate, corrections and average_decay as they stand when it runs, in device memory; null for step's own.
  const adamw_step<float>* when_run = nullptr;
};

namespace detail {

struct adamw_work {
  static constexpr int lanes = device::lanes_of<float>;
  adamw_step<float> op;
  const double* square = nullptr;
  float clip = 0;
  const adamw_step<float>* when_run = nullptr;
  template <bool Wide>
  __device__ __forceinline__ void run(std::size_t at, std::uint32_t left) const {
    using namespace device;
    float scale = op.gradient_scale;
    if (square != nullptr) {
      const auto norm = static_cast<float>(sqrt(*square));
      scale = norm > clip ? clip / norm : 1.0F;
    }
    const bool own = when_run == nullptr;
    const float rate = own ? op.rate : when_run->rate, average_decay = own ? op.average_decay : when_run->average_decay,
                inverse_1 = 1 / (own ? op.correction_1 : when_run->correction_1),
                inverse_2 = 1 / (own ? op.correction_2 : when_run->correction_2);
    float w[lanes], g[lanes], m[lanes], v[lanes], average[lanes];
    load<Wide>(op.weight + at, left, w);
    load<Wide>(op.gradient + at, left, g);
    load<Wide>(op.first + at, left, m);
    load<Wide>(op.second + at, left, v);
    unrolled<lanes>([&](auto k) {
      const float s = g[k] * scale;
      m[k] = fused(op.beta_1, m[k], (1 - op.beta_1) * s);
      v[k] = fused(op.beta_2, v[k], (1 - op.beta_2) * s * s);
      const float step = m[k] * inverse_1 / (sqrtf(v[k] * inverse_2) + op.epsilon);
      w[k] = fused(-rate, fused(op.decay, w[k], step), w[k]);
      g[k] = 0;
    });
    store<Wide>(op.weight + at, left, w);
    store<Wide>(op.gradient + at, left, g);
    store<Wide>(op.first + at, left, m);
    store<Wide>(op.second + at, left, v);
    if (op.average == nullptr) return;
    load<Wide>(op.average + at, left, average);
    unrolled<lanes>([&](auto k) { average[k] = fused(1 - average_decay, w[k] - average[k], average[k]); });
    store<Wide>(op.average + at, left, average);
  }
};

/// One block sums sum_block elements: each thread its own, then the threads as a tree.
template <class T>
__global__ void __launch_bounds__(elementwise_block) squares_kernel(const T* x, std::size_t count, double* blocks) {
  const std::size_t first = std::size_t{blockIdx.x} * sum_block;
  double sum = 0;
  for (unsigned i = threadIdx.x; i < sum_block && first + i < count; i += elementwise_block)
    sum += static_cast<double>(x[first + i]) * static_cast<double>(x[first + i]);
  sum = device::block_sum(sum);
  if (threadIdx.x == 0) blocks[blockIdx.x] = sum;
}
template <class T>
__global__ void __launch_bounds__(elementwise_block) sum_blocks_kernel(const T* blocks, unsigned count, T* out) {
  T sum = 0;
  for (unsigned i = threadIdx.x; i < count; i += elementwise_block) sum += blocks[i];
  sum = device::block_sum(sum);
  if (threadIdx.x == 0) *out = sum;
}

}  // namespace detail

inline void run(const adamw_step<float>& op, device::stream on) {
  detail::for_each_element(detail::adamw_work{op}, op.count, on, op.weight, op.gradient, op.first, op.second,
                           op.average);
}

inline void run(const clipped_adamw& of, device::stream on) {
  const auto& op = of.step;
  detail::for_each_element(detail::adamw_work{op, of.square, of.clip, of.when_run}, op.count, on, op.weight,
                           op.gradient, op.first, op.second, op.average);
}

inline void run(const sum_of_squares<float>& op, device::stream on) {
  const unsigned blocks = device::blocks_for(op.count, sum_block);
  device::launch(on, {blocks, detail::elementwise_block}, &detail::squares_kernel<float>, op.x,
                 static_cast<std::size_t>(op.count), op.blocks);
  device::launch(on, {1, detail::elementwise_block}, &detail::sum_blocks_kernel<double>, op.blocks, blocks, op.sum);
}

}  // namespace anodiff::ops::cuda
