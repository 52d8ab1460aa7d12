// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/dropout.hpp>

namespace anodiff::ops::cpu {

/// The reference on pieces of the rows.
template <class T>
void run(const dropout<T>& op, thread_pool& pool) {
  parallel_for(pool, op.rows, std::max<index>(1, 8192 / std::max<index>(1, op.width)), [&](index first, index last) {
    auto piece = op;
    piece.x += first * op.width;
    piece.y += first * op.width;
    if (op.noise.draws != nullptr) piece.noise.draws += first;
    piece.rows = last - first;
    reference::run(piece);
  });
}

}  // namespace anodiff::ops::cpu
