// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/scale_rows.hpp>

namespace anodiff::ops::cpu {

/// The reference on pieces: the loop is bound by memory.
template <class T>
void run(const scale_rows<T>& op, thread_pool& pool) {
  parallel_for(
      pool, op.rows, std::max<index>(1, 32768 / std::max<index>(1, op.row_size)), [&](index first, index last) {
        const index at = first * op.row_size;
        reference::run(scale_rows<T>{op.x + at, op.y + at, op.factor, op.level + first, last - first, op.row_size});
      });
}

}  // namespace anodiff::ops::cpu
