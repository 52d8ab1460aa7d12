// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/affine.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const affine<T>& op, thread_pool& pool) {
  parallel_for(pool, op.rows, std::max<index>(1, 16384 / std::max<index>(1, op.row_size)),
               [&](index first, index last) {
                 for (index i = first; i < last; ++i) {
                   const T* const x = op.x + i * op.row_size;
                   T* const y = op.y + i * op.row_size;
                   const T slope = op.slope(i);
                   for_each_lanes<T>(op.row_size, [&](index j, auto lanes) {
                     const auto value = lanes.load(x + j) * slope + op.offset;
                     lanes.store(y + j, op.accumulate ? lanes.load(y + j) + value : value);
                   });
                 }
               });
}

}  // namespace anodiff::ops::cpu
