// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/row_distance.hpp>

namespace anodiff::ops::cpu {

/// The reference on pieces: the loop is bound by memory.
template <class T>
void run(const row_distance<T>& op, thread_pool& pool) {
  parallel_for(pool, op.rows * op.row_size, 32768, [&](index first, index last) {
    reference::run(row_distance<T>{op.x + first, op.y + first, op.evidence + first, 1, last - first, op.kind});
  });
}

}  // namespace anodiff::ops::cpu
