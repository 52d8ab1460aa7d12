// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/time_features.hpp>

namespace anodiff::ops::cpu {

/// The reference, a piece of the levels for each thread: levels are few beside the rows that use them.
template <class T>
void run(const time_features<T>& op, thread_pool& pool) {
  parallel_for(pool, op.levels, 64, [&](index first, index last) {
    auto piece = op;
    piece.time += first;
    piece.y += first * op.width;
    piece.levels = last - first;
    reference::run(piece);
  });
}

}  // namespace anodiff::ops::cpu
