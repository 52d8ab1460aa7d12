// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/core/tensor.hpp>
#include <anodiff/ops/blur.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// out[e] = w[0] line(0)[e] + Σ_k w[k] (line(-k)[e] + line(k)[e]) for e in [0, n).
template <class T, class Line>
void blur_lines(const std::vector<T>& weights, index n, T* out, Line&& line) {
  using V = simd::vec<T>;
  for_each_lanes_by<T, 4>(n, [&](index e, auto lanes, auto vectors) {
    V sum[vectors];
    unrolled<vectors>([&](auto v) { sum[v] = lanes.load(line(0) + e + v * simd::lanes<T>) * weights[0]; });
    for (std::size_t k = 1; k < weights.size(); ++k) {
      const T *before = line(-static_cast<index>(k)) + e, *after = line(static_cast<index>(k)) + e;
      const T weight = weights[k];
      unrolled<vectors>([&](auto v) {
        sum[v] += (lanes.load(before + v * simd::lanes<T>) + lanes.load(after + v * simd::lanes<T>)) * weight;
      });
    }
    unrolled<vectors>([&](auto v) { lanes.store(out + e + v * simd::lanes<T>, sum[v]); });
  });
}

}  // namespace detail

template <class T>
void run(const blur<T>& op, thread_pool& pool) {
  const index line = op.width * op.channels, radius = static_cast<index>(op.weights->size()) - 1;
  const index grain = std::max<index>(1, 4096 / std::max<index>(1, line));
  for (index n = 0; n < op.rows; ++n) {
    const T* x = op.x + n * op.height * line;
    T* y = op.y + n * op.height * line;
    parallel_for(pool, op.height, grain, [&](index first, index last) {
      for (index i = first; i < last; ++i)
        detail::blur_lines(*op.weights, line, op.scratch + i * line,
                           [&](index k) { return x + reflected(i + k, op.height) * line; });
    });
    parallel_for(pool, op.height, grain, [&](index first, index last) {
      thread_local aligned_vector<T> extended;  // the line with its mirrored ends
      extended.resize(static_cast<std::size_t>(line + 2 * radius * op.channels));
      T* middle = extended.data() + radius * op.channels;
      for (index i = first; i < last; ++i) {
        const T* from = op.scratch + i * line;
        std::copy(from, from + line, middle);
        for (index k = 1; k <= radius; ++k) {
          std::copy_n(from + reflected(-k, op.width) * op.channels, op.channels, middle - k * op.channels);
          std::copy_n(from + reflected(op.width - 1 + k, op.width) * op.channels, op.channels,
                      middle + line + (k - 1) * op.channels);
        }
        detail::blur_lines(*op.weights, line, y + i * line, [&](index k) { return middle + k * op.channels; });
      }
    });
  }
}

}  // namespace anodiff::ops::cpu
