// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/level_stack.hpp>

namespace anodiff::ops::cpu {

/// The reference on pieces of the rows: the loops are bound by memory.
template <class T>
void run(const stack_levels<T>& op, thread_pool& pool) {
  const index each = std::max<index>(1, op.levels * op.row_size);
  parallel_for(pool, op.rows, std::max<index>(1, 16384 / each), [&](index first, index last) {
    auto piece = op;
    piece.x += first * op.row_size;
    piece.y += first * each;
    piece.rows = last - first;
    reference::run(piece);
  });
}
template <class T>
void run(const noise_error<T>& op, thread_pool& pool) {
  const index each = std::max<index>(1, op.levels * op.row_size);
  parallel_for(pool, op.rows, std::max<index>(1, 16384 / each), [&](index first, index last) {
    auto piece = op;
    piece.y += first * each;
    piece.network += first * each;
    piece.out += first * op.row_size;
    piece.rows = last - first;
    reference::run(piece);
  });
}

}  // namespace anodiff::ops::cpu
