// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/embedding.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const embedding_forward<T>& op, thread_pool& pool) {
  parallel_for(pool, op.rows, std::max<index>(1, 16384 / std::max<index>(1, op.width)), [&](index first, index last) {
    for (index i = first; i < last; ++i) {
      const T* from = op.table + op.id[i] * op.width;
      std::copy(from, from + op.width, op.y + i * op.width);
    }
  });
}

}  // namespace anodiff::ops::cpu
