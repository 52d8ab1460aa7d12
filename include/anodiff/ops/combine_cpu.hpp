// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/combine.hpp>
#include <anodiff/ops/noise_cpu.hpp>
#include <limits>

namespace anodiff::ops::cpu {

namespace detail {

/// Elements [at, at + count) of one update; noise is null where none is added.
template <class T>
ANODIFF_ALWAYS_INLINE void combine_stretch(const combine<T>& op, index at, const float* noise, index count) noexcept {
  const T limit = op.fold.limit > 0 ? op.fold.limit : std::numeric_limits<T>::infinity();
  const T* ANODIFF_RESTRICT output = op.output + at;
  const T* x = op.x + at;
  T* next = op.next + at;
  const bool plain = op.clean == nullptr && op.ws == 0 && op.wp[0] == 0 && op.wp[1] == 0 && op.wp[2] == 0;
  if (plain) {
    for (index j = 0; j < count; ++j) {
      const T clean = std::min(std::max(op.fold.state * x[j] + op.fold.output * output[j], -limit), limit);
      const T z = noise != nullptr ? op.wz * static_cast<T>(noise[j]) : T{0};
      next[j] = op.wx * x[j] + op.wc * clean + z;
    }
    return;
  }
  for (index j = 0; j < count; ++j) {
    const T clean = std::min(std::max(op.fold.state * x[j] + op.fold.output * output[j], -limit), limit);
    T sum = op.wx * x[j] + op.wc * clean;
    if (op.ws != 0) sum += op.ws * op.saved[at + j];
    for (std::size_t k = 0; k < past_slots; ++k)
      if (op.wp[k] != 0) sum += op.wp[k] * op.past[k][at + j];
    if (noise != nullptr) sum += op.wz * static_cast<T>(noise[j]);
    if (op.clean != nullptr) op.clean[at + j] = clean;
    if (op.next != nullptr) next[j] = sum;
  }
}

}  // namespace detail

template <class T>
void run(const combine<T>& op, thread_pool& pool) {
  if (op.wz == 0 || op.next == nullptr) {
    parallel_for(pool, op.rows * op.row_size, detail::elements_a_task,
                 [&](index first, index last) { detail::combine_stretch<T>(op, first, nullptr, last - first); });
    return;
  }
  detail::for_each_stretch(pool, op.rows, op.row_size, [&](index row, index begin, index end) {
    const index at = row * op.row_size + begin;
    detail::for_each_normal(
        op.noise.of(row), op.noise.first_element + begin, end - begin,
        [&](index i, const float* noise, int count) { detail::combine_stretch<T>(op, at + i, noise, count); });
  });
}

}  // namespace anodiff::ops::cpu
