// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/combine.hpp>
#include <anodiff/ops/noise_cpu.hpp>
#include <limits>

namespace anodiff::ops::cpu {

namespace detail {

/// Elements [at, at + count) of one update; noise is null where none is added.
template <class T>
void combine_piece(const combine<T>& op, index at, index count, const float* noise) noexcept {
  using V = simd::vec<T>;
  const combine<T> o = op;  // a copy of its own, so that stores to memory cannot change the weights
  const T limit = o.fold.limit > 0 ? o.fold.limit : std::numeric_limits<T>::infinity();
  const bool reads_x = o.fold.state != 0 || o.wx != 0;
  const bool reads_more = o.ws != 0 || o.wp[0] != 0 || o.wp[1] != 0 || o.wp[2] != 0;
  for_each_lanes<T>(count, [&](index i, auto lanes) {
    const index j = at + i;
    V clean{}, next{};
    if (reads_x) {
      const V x = lanes.load(o.x + j);
      if (o.fold.state != 0) clean = o.fold.state * x;
      if (o.wx != 0) next = o.wx * x;
    }
    if (o.fold.output != 0) clean += o.fold.output * lanes.load(o.output + j);
    clean = simd::max<V>(simd::broadcast<V>(-limit), clean);  // in this order NaN passes
    clean = simd::min<V>(simd::broadcast<V>(limit), clean);
    if (o.clean != nullptr) lanes.store(o.clean + j, clean);
    if (o.next == nullptr) return;
    if (o.wc != 0) next += o.wc * clean;
    if (reads_more) {
      if (o.ws != 0) next += o.ws * lanes.load(o.saved + j);
      for (std::size_t k = 0; k < past_slots; ++k)
        if (o.wp[k] != 0) next += o.wp[k] * lanes.load(o.past[k] + j);
    }
    if (noise != nullptr) next += o.wz * lanes.load(noise + i);
    lanes.store(o.next + j, next);
  });
}

}  // namespace detail

template <class T>
void run(const combine<T>& op, thread_pool& pool) {
  if (op.wz == 0 || op.next == nullptr) {
    parallel_for(pool, op.rows * op.row_size, detail::elements_a_task,
                 [&](index first, index last) { detail::combine_piece(op, first, last - first, nullptr); });
    return;
  }
  detail::for_each_piece(pool, op.rows, op.row_size, op.noise,
                         [&](index row, index first, index count, const float* noise) {
                           detail::combine_piece(op, row * op.row_size + first, count, noise);
                         });
}

}  // namespace anodiff::ops::cpu
