// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/elementwise.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const accumulate<T>& op, thread_pool& pool) {
  parallel_for(pool, op.count, 32768, [&](index first, index last) {
    if (op.add)
      for (index i = first; i < last; ++i) op.to[i] += op.from[i];
    else
      std::copy(op.from + first, op.from + last, op.to + first);
  });
}
template <class T>
void run(const add<T>& op, thread_pool& pool) {
  parallel_for(pool, op.count, 32768, [&](index first, index last) {
    for (index i = first; i < last; ++i) op.y[i] = op.a[i] + op.b[i];
  });
}
template <class T>
void run(const fill<T>& op, thread_pool& pool) {
  parallel_for(pool, op.count, 65536,
               [&](index first, index last) { std::fill(op.x + first, op.x + last, op.constant); });
}

}  // namespace anodiff::ops::cpu
