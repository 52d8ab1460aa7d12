// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/resample.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// Calls f(row of the small pictures) on pieces of them.
template <class F>
void for_each_small_row(thread_pool& pool, index rows, index row_size, F&& f) {
  parallel_for(pool, rows, std::max<index>(1, 8192 / std::max<index>(1, row_size)), [&](index first, index last) {
    for (index i = first; i < last; ++i) f(i);
  });
}

}  // namespace detail

template <class T>
void run(const enlarge<T>& op, thread_pool& pool) {
  const index c = op.channels, line = op.width * c;
  detail::for_each_small_row(pool, op.n * op.height, line, [&](index i) {
    for (index j = 0; j < op.width; ++j) {
      const T* x = op.x + i * line + j * c;
      T* y = op.y + i * 4 * line + j * 2 * c;
      for_each_lanes<T>(c, [&](index k, auto lanes) {
        const auto value = lanes.load(x + k) * op.scale;
        for (T* to : {y + k, y + c + k, y + 2 * line + k, y + 2 * line + c + k})
          lanes.store(to, op.accumulate ? lanes.load(to) + value : value);
      });
    }
  });
}

template <class T>
void run(const reduce<T>& op, thread_pool& pool) {
  const index c = op.channels, line = op.width * c;
  detail::for_each_small_row(pool, op.n * op.height, 4 * line, [&](index i) {
    for (index j = 0; j < op.width; ++j) {
      const T* x = op.x + i * 4 * line + j * 2 * c;
      T* y = op.y + i * line + j * c;
      for_each_lanes<T>(c, [&](index k, auto lanes) {
        const auto top = lanes.load(x + k) + lanes.load(x + c + k);
        const auto value = (top + (lanes.load(x + 2 * line + k) + lanes.load(x + 2 * line + c + k))) * op.scale;
        lanes.store(y + k, op.accumulate ? lanes.load(y + k) + value : value);
      });
    }
  });
}

}  // namespace anodiff::ops::cpu
