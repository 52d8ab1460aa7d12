// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/layer_norm.hpp>

namespace anodiff::ops::cpu {

/// Rows are shared out; within a row the reference's loops are those that the compiler vectorises.
template <class T>
void run(const layer_norm_forward<T>& op, thread_pool& pool) {
  parallel_for(pool, op.rows, std::max<index>(1, 8192 / std::max<index>(1, op.width)), [&](index first, index last) {
    auto piece = op;
    piece.x += first * op.width;
    piece.y += first * op.width;
    if (op.mean != nullptr) piece.mean += first;
    if (op.inverse != nullptr) piece.inverse += first;
    piece.rows = last - first;
    reference::run(piece);
  });
}

template <class T>
void run(const layer_norm_backward<T>& op, thread_pool& pool) {
  if (op.dgain != nullptr)  // columns are shared out, so that each sums its rows in order
    parallel_for(pool, op.width, 64, [&](index first, index last) {
      for (index i = 0; i < op.rows; ++i)
        for (index j = first; j < last; ++j) {
          const T dy = op.dy[i * op.width + j];
          op.dgain[j] += dy * ((op.x[i * op.width + j] - op.mean[i]) * op.inverse[i]);
          op.dbias[j] += dy;
        }
    });
  if (op.dx == nullptr) return;
  parallel_for(pool, op.rows, std::max<index>(1, 8192 / std::max<index>(1, op.width)), [&](index first, index last) {
    auto piece = op;
    piece.x += first * op.width;
    piece.dy += first * op.width;
    piece.mean += first;
    piece.inverse += first;
    piece.dgain = piece.dbias = nullptr;
    piece.dx += first * op.width;
    piece.rows = last - first;
    reference::run(piece);
  });
}

}  // namespace anodiff::ops::cpu
