// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/squared_error.hpp>

namespace anodiff::ops::cpu {

/// The reference of a loss on pieces of its rows: the loop is bound by memory.
template <class Loss>
void on_pieces_of_rows(const Loss& op, thread_pool& pool) {
  parallel_for(pool, op.rows, std::max<index>(1, 8192 / std::max<index>(1, op.row_size)), [&](index first, index last) {
    auto piece = op;
    piece.output += first * op.row_size;
    piece.target += first * op.row_size;
    piece.level += first;
    piece.row_loss += first;
    if (op.gradient != nullptr) piece.gradient += first * op.row_size;
    piece.rows = last - first;
    reference::run(piece);
  });
}

template <class T>
void run(const squared_error<T>& op, thread_pool& pool) {
  on_pieces_of_rows(op, pool);
}

}  // namespace anodiff::ops::cpu
