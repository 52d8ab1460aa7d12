// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/attention.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

/// Error against double arithmetic, in units of the largest |v|, for scores up to 50.
inline constexpr double attention_bound = 1e-5;

/// Error of the gradients, in units of max(1, |gradient|), for sums over up to 4096 positions.
inline constexpr double attention_gradient_bound = 5e-5;

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

[[nodiscard]] inline std::size_t attention_backward_shared_bytes(index width) noexcept {
  const auto d = static_cast<std::size_t>(width);
  return sizeof(float) * (2 * attention_queries * d + 2 * attention_keys * (d + 1) + 2 * attention_keys);
}

/// A block's own sixteen rows are queries, and then the tiles are of keys; or the other way round. Own rows are (q, dy)
/// or (k, v), the tile's (k, v) or (q, dy): either way a score is the product of the first two,
/// and what its weight's gradient is made of that of the second two. A lane weighs one row of the tile for each of a
/// warp's four own rows, then holds Chunks columns of their sums.
template <bool OfQueries, int Chunks, class T>
__global__ void __launch_bounds__(attention_block) attention_backward_kernel(const attention_backward<T> op) {
  using namespace device;
  constexpr unsigned a_warp = attention_queries / (attention_block / warp_size);
  const auto width = static_cast<std::uint32_t>(op.width), heads = static_cast<std::uint32_t>(op.heads);
  float* const own_a = dynamic_shared<float>();                   // (16, width): q or k
  float* const own_b = own_a + attention_queries * width;         // (16, width): dy or v
  float* const tile_a = own_b + attention_queries * width;        // (32, width + 1): k or q
  float* const tile_b = tile_a + attention_keys * (width + 1);    // (32, width + 1): v or dy
  float* const tile_log = tile_b + attention_keys * (width + 1);  // (32): of the tile's queries
  float* const tile_mean = tile_log + attention_keys;             // (32)
  const index n = blockIdx.y / heads, head = blockIdx.y % heads, first = index{blockIdx.x} * attention_queries;
  const index own_count = OfQueries ? op.queries : op.keys, count = OfQueries ? op.keys : op.queries;
  const auto place = [&](index positions, index i) { return ((n * positions + i) * op.heads + head) * op.width; };
  const auto log_sum = [&](index i) { return to_float(op.log_sum[(n * op.heads + head) * op.queries + i]); };
  // the mean, under the weights, of the scores' gradients of query i
  const auto mean_of = [&](index i) {
    float sum = 0;
    for (std::uint32_t c = lane(); c < width; c += warp_size)
      sum = fused(to_float(op.dy[place(op.queries, i) + c]), to_float(op.y[place(op.queries, i) + c]), sum);
    return warp_sum(sum);
  };
  const float scale = 1 / sqrtf(static_cast<float>(width));
  const T *const from_a = OfQueries ? op.q : op.k, *const from_b = OfQueries ? op.dy : op.v;
  for (std::uint32_t e = threadIdx.x; e < attention_queries * width; e += attention_block) {
    const std::uint32_t i = e / width;
    const index at = place(own_count, first + i) + (e - i * width);
    own_a[e] = first + i < own_count ? to_float(from_a[at]) : 0.0F;
    own_b[e] = first + i < own_count ? to_float(from_b[at]) : 0.0F;
  }
  const unsigned mine = threadIdx.x / warp_size * a_warp;
  float own_log[a_warp] = {}, own_mean[a_warp] = {}, of_a[a_warp][Chunks] = {}, of_b[a_warp][Chunks] = {};
  if (OfQueries)
    unrolled<a_warp>([&](auto a) {
      if (first + mine + a >= op.queries) return;
      own_log[a] = log_sum(first + mine + a);
      own_mean[a] = mean_of(first + mine + a);
    });
  for (index at = 0; at < count; at += attention_keys) {
    const auto here = static_cast<unsigned>(count - at < attention_keys ? count - at : attention_keys);
    sync_block();
    for (std::uint32_t e = threadIdx.x; e < here * width; e += attention_block) {
      const std::uint32_t j = e / width, c = e - j * width;
      tile_a[j * (width + 1) + c] = to_float((OfQueries ? op.k : op.q)[place(count, at + j) + c]);
      tile_b[j * (width + 1) + c] = to_float((OfQueries ? op.v : op.dy)[place(count, at + j) + c]);
    }
    if (!OfQueries)
      for (unsigned j = threadIdx.x / warp_size; j < here; j += attention_block / warp_size) {
        const float mean = mean_of(at + j);
        if (lane() == 0) {
          tile_mean[j] = mean;
          tile_log[j] = log_sum(at + j);
        }
      }
    sync_block();
    unrolled<a_warp>([&](auto a) {
      float weight = 0, slope = 0;
      if (lane() < here && first + mine + a < own_count) {
        float score = 0, toward = 0;
        for (std::uint32_t c = 0; c < width; ++c) {
          score = fused(own_a[(mine + a) * width + c], tile_a[lane() * (width + 1) + c], score);
          toward = fused(own_b[(mine + a) * width + c], tile_b[lane() * (width + 1) + c], toward);
        }
        weight = expf(fused(score, scale, OfQueries ? -own_log[a] : -tile_log[lane()]));
        slope = weight * (toward - (OfQueries ? own_mean[a] : tile_mean[lane()])) * scale;
      }
      for (unsigned j = 0; j < here; ++j) {
        const float s = shuffle(slope, j), w = OfQueries ? 0.0F : shuffle(weight, j);
        unrolled<Chunks>([&](auto c) {
          const std::uint32_t column = c * warp_size + lane();
          if (column >= width) return;
          of_a[a][c] = fused(s, tile_a[j * (width + 1) + column], of_a[a][c]);
          if (!OfQueries) of_b[a][c] = fused(w, tile_b[j * (width + 1) + column], of_b[a][c]);
        });
      }
    });
  }
  const auto write = [&](T* to, bool add, float(&from)[a_warp][Chunks]) {
    if (to == nullptr) return;
    unrolled<a_warp>([&](auto a) {
      if (first + mine + a >= own_count) return;
      unrolled<Chunks>([&](auto c) {
        const std::uint32_t column = c * warp_size + lane();
        if (column >= width) return;
        T& at = to[place(own_count, first + mine + a) + column];
        at = from_float<T>(add ? to_float(at) + from[a][c] : from[a][c]);
      });
    });
  };
  write(OfQueries ? op.dq : op.dk, OfQueries ? op.add_q : op.add_k, of_a);
  if (!OfQueries) write(op.dv, op.add_v, of_b);
}

template <bool OfQueries, class T>
void launch_attention_backward(const attention_backward<T>& op, index own, device::stream on) {
  const device::launch_shape shape{{device::blocks_for(own, attention_queries), static_cast<unsigned>(op.n * op.heads)},
                                   attention_block,
                                   attention_backward_shared_bytes(op.width)};
  device::launch(on, shape,
                 op.width <= 32    ? &attention_backward_kernel<OfQueries, 1, T>
                 : op.width <= 64  ? &attention_backward_kernel<OfQueries, 2, T>
                 : op.width <= 128 ? &attention_backward_kernel<OfQueries, 4, T>
                                   : &attention_backward_kernel<OfQueries, 8, T>,
                 op);
}

template <class Operation>
void check_attention(const Operation& op) {
  check(op.width <= attention_widest && op.n * op.heads <= 65535, "cuda: attention needs heads of at most ",
        attention_widest, " columns and n heads <= 65535, got ", op.width, " and ", op.n * op.heads);
}

}  // namespace detail

/// Throws invalid_argument for a head wider than attention_widest.
template <class T>
void run(const attention_forward<T>& op, device::stream on) {
  if (op.n <= 0 || op.queries <= 0 || op.keys <= 0) return;
  detail::check_attention(op);
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

/// Needs no scratch. Throws invalid_argument as the forward pass.
template <class T>
void run(const attention_backward<T>& op, device::stream on) {
  if (op.n <= 0 || op.queries <= 0 || op.keys <= 0) return;
  detail::check_attention(op);
  if (op.dq != nullptr) detail::launch_attention_backward<true>(op, op.queries, on);
  if (op.dk != nullptr || op.dv != nullptr) detail::launch_attention_backward<false>(op, op.keys, on);
}

}  // namespace anodiff::ops::cuda
