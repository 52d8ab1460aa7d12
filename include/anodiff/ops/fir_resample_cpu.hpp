// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/fir_resample.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// A row of small results at a time; each pixel sums its taps in the order of the reference.
template <class T, class Op, class Taps>
void run_fir(const Op& op, index from_height, index from_width, index to_height, index to_width, Taps taps,
             thread_pool& pool) {
  const index c = op.channels, line = std::max<index>(1, to_width * c);
  parallel_for(pool, op.n * to_height, std::max<index>(1, 4096 / line), [&](index first, index last) {
    for (index row = first; row < last; ++row) {
      const T* const x = op.x + row / to_height * from_height * from_width * c;
      const auto rows = taps(row % to_height, from_height);
      for (index j = 0; j < to_width; ++j) {
        T* const y = op.y + (row * to_width + j) * c;
        const auto columns = taps(j, from_width);
        for_each_lanes<T>(c, [&](index k, auto lanes) {
          auto sum = lanes.load(x + k) * T{0};
          ops::detail::for_each_fir_tap(rows, columns, from_width,
                                        [&](index at, T weight) { sum = sum + lanes.load(x + at * c + k) * weight; });
          const auto value = sum * op.scale;
          lanes.store(y + k, op.accumulate ? lanes.load(y + k) + value : value);
        });
      }
    }
  });
}

}  // namespace detail

template <class T>
void run(const fir_enlarge<T>& op, thread_pool& pool) {
  detail::run_fir<T>(op, op.height, op.width, 2 * op.height, 2 * op.width, ops::detail::enlarging_taps<T>, pool);
}
template <class T>
void run(const fir_reduce<T>& op, thread_pool& pool) {
  detail::run_fir<T>(op, 2 * op.height, 2 * op.width, op.height, op.width, ops::detail::reducing_taps<T>, pool);
}

}  // namespace anodiff::ops::cpu
