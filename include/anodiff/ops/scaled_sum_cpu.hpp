// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/scaled_sum.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const scaled_sum<T>& op, thread_pool& pool) {
  parallel_for(pool, op.count, 32768, [&](index first, index last) {
    for_each_lanes<T>(last - first, [&](index j, auto lanes) {
      const index i = first + j;
      auto value = lanes.load(op.a + i);
      if (op.b != nullptr) value += lanes.load(op.b + i);
      value *= op.scale;
      lanes.store(op.y + i, op.accumulate ? lanes.load(op.y + i) + value : value);
    });
  });
}

}  // namespace anodiff::ops::cpu
