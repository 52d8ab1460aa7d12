// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/pixel_sums.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// Calls f(picture, first channel, channels) for each picture and each strip of at most 64 of its channels.
template <class F>
void for_each_strip(thread_pool& pool, index n, index channels, F&& f) {
  constexpr index strip = 64;
  const index strips = (channels + strip - 1) / strip;
  pool.run(n * strips, [&](index job) {
    const index first = job % strips * strip;
    f(job / strips, first, std::min(strip, channels - first));
  });
}

}  // namespace detail

template <class T>
void run(const pixel_sums<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  detail::for_each_strip(pool, op.n, op.channels, [&](index n, index first, index count) {
    const T* x = op.x + n * op.pixels * op.channels + first;
    T* y = op.y + n * op.channels + first;
    for_each_lanes_by<T, 4>(count, [&](index j, auto lanes, auto vectors) {
      V sum[vectors]{};
      for (index i = 0; i < op.pixels; ++i)
        unrolled<vectors>([&](auto v) { sum[v] += lanes.load(x + i * op.channels + j + v * simd::lanes<T>); });
      unrolled<vectors>([&](auto v) { lanes.store(y + j + v * simd::lanes<T>, sum[v]); });
    });
  });
}

}  // namespace anodiff::ops::cpu
