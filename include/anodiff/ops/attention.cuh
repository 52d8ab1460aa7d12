// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/attention.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

/// Error against double arithmetic, in units of the largest |v|, for scores up to 50.
inline constexpr double attention_bound = 1e-5;

/// Largest width of a head.
inline constexpr index attention_widest = 256;

namespace detail {

inline constexpr unsigned attention_block = 128, attention_queries = 16, attention_keys = 32;

[[nodiscard]] inline std::size_t attention_shared_bytes(index width) noexcept {
  const auto d = static_cast<std::size_t>(width);
  return sizeof(float) * (attention_queries * d + attention_keys * (d + 1) + attention_keys * d);
}

/// One block a head and sixteen queries, four of them a warp's. Tiles of 32 keys come in order: a lane scores one key,
/// then holds Chunks columns of the four sums.
template <int Chunks, class T>
__global__ void __launch_bounds__(attention_block) attention_kernel(const attention_forward<T> op) {
  using namespace device;
  constexpr unsigned a_warp = attention_queries / (attention_block / warp_size);
  const auto width = static_cast<std::uint32_t>(op.width), heads = static_cast<std::uint32_t>(op.heads);
  float* const q = dynamic_shared<float>();           // (16, width)
  float* const k = q + attention_queries * width;     // (32, width + 1): lanes read columns without a conflict
  float* const v = k + attention_keys * (width + 1);  // (32, width)
  const index n = blockIdx.y / heads, head = blockIdx.y % heads;
  const index first = index{blockIdx.x} * attention_queries;
  const auto place = [&](index positions, index i) { return ((n * positions + i) * op.heads + head) * op.width; };
  const float scale = 1 / sqrtf(static_cast<float>(width));
  for (std::uint32_t e = threadIdx.x; e < attention_queries * width; e += attention_block) {
    const std::uint32_t i = e / width;
    q[e] = first + i < op.queries ? scale * to_float(op.q[place(op.queries, first + i) + (e - i * width)]) : 0.0F;
  }
  const unsigned mine = threadIdx.x / warp_size * a_warp;
  float most[a_warp], sum[a_warp], y[a_warp][Chunks];
  unrolled<a_warp>([&](auto a) {
    most[a] = -INFINITY;
    sum[a] = 0;
    unrolled<Chunks>([&](auto c) { y[a][c] = 0; });
  });
  for (index key = 0; key < op.keys; key += attention_keys) {
    const auto here = static_cast<unsigned>(op.keys - key < attention_keys ? op.keys - key : attention_keys);
    sync_block();
    for (std::uint32_t e = threadIdx.x; e < here * width; e += attention_block) {
      const std::uint32_t j = e / width, c = e - j * width;
      k[j * (width + 1) + c] = to_float(op.k[place(op.keys, key + j) + c]);
      v[e] = to_float(op.v[place(op.keys, key + j) + c]);
    }
    sync_block();
    unrolled<a_warp>([&](auto a) {
      float score = -INFINITY;
      if (lane() < here) {
        score = 0;
        for (std::uint32_t c = 0; c < width; ++c)
          score = fused(q[(mine + a) * width + c], k[lane() * (width + 1) + c], score);
      }
      const float now = largest(most[a], warp_max(score));
      const float shrink = expf(most[a] - now), weight = lane() < here ? expf(score - now) : 0.0F;
      most[a] = now;
      sum[a] = fused(sum[a], shrink, warp_sum(weight));
      unrolled<Chunks>([&](auto c) { y[a][c] *= shrink; });
      for (unsigned j = 0; j < here; ++j) {
        const float w = shuffle(weight, j);
        unrolled<Chunks>([&](auto c) {
          const std::uint32_t column = c * warp_size + lane();
          if (column < width) y[a][c] = fused(w, v[j * width + column], y[a][c]);
        });
      }
    });
  }
  unrolled<a_warp>([&](auto a) {
    const index i = first + mine + a;
    if (i >= op.queries) return;
    unrolled<Chunks>([&](auto c) {
      const std::uint32_t column = c * warp_size + lane();
      if (column < width) op.y[place(op.queries, i) + column] = from_float<T>(y[a][c] / sum[a]);
    });
    if (op.log_sum != nullptr && lane() == 0)
      op.log_sum[(n * op.heads + head) * op.queries + i] = from_float<T>(most[a] + logf(sum[a]));
  });
}

}  // namespace detail

/// Throws invalid_argument for a head wider than attention_widest.
template <class T>
void run(const attention_forward<T>& op, device::stream on) {
  if (op.n <= 0 || op.queries <= 0 || op.keys <= 0) return;
  check(op.width <= attention_widest && op.n * op.heads <= 65535, "cuda: attention needs heads of at most ",
        attention_widest, " columns and n heads <= 65535, got ", op.width, " and ", op.n * op.heads);
  const device::launch_shape shape{
      {device::blocks_for(op.queries, detail::attention_queries), static_cast<unsigned>(op.n * op.heads)},
      detail::attention_block,
      detail::attention_shared_bytes(op.width)};
  device::launch(on, shape,
                 op.width <= 32    ? &detail::attention_kernel<1, T>
                 : op.width <= 64  ? &detail::attention_kernel<2, T>
                 : op.width <= 128 ? &detail::attention_kernel<4, T>
                                   : &detail::attention_kernel<8, T>,
                 op);
}

}  // namespace anodiff::ops::cuda
