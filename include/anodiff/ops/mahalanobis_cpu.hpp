// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/core/tensor.hpp>
#include <anodiff/ops/mahalanobis.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

/// A vector holds one column of as many rows, so that no sum runs across lanes.
template <class T>
void run(const mahalanobis<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  constexpr index lanes = simd::lanes<T>;
  parallel_for(pool, op.rows, 1024, [&](index first, index last) {
    thread_local aligned_vector<T> turned;  // (width, lanes): the rows' columns, their mean taken off
    turned.resize(static_cast<std::size_t>(op.width * lanes));
    for (index i = first; i < last; i += lanes) {
      const index count = std::min(lanes, last - i);
      for (index b = 0; b < op.width; ++b)
        for (index r = 0; r < lanes; ++r)
          turned[static_cast<std::size_t>(b * lanes + r)] =
              op.x[(i + std::min(r, count - 1)) * op.width + b] - op.mean[b];
      V square{};
      for (index a = 0; a < op.width; ++a) {
        V sum{};
        for (index b = 0; b <= a; ++b) sum += simd::load<V>(turned.data() + b * lanes) * op.whiten[a * op.width + b];
        square += sum * sum;
      }
      const V distance = simd::sqrt<V>(square);
      simd::store_part(op.out + i, distance, static_cast<int>(count));
    }
  });
}

}  // namespace anodiff::ops::cpu
