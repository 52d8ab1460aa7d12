// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/concat.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const copy_channels<T>& op, thread_pool& pool) {
  parallel_for(pool, op.pixels, std::max<index>(1, 16384 / std::max<index>(1, op.count)), [&](index first, index last) {
    for (index i = first; i < last; ++i) {
      const T* from = op.from + i * op.from_stride;
      T* to = op.to + i * op.to_stride;
      for_each_lanes<T>(op.count, [&](index c, auto lanes) {
        lanes.store(to + c, op.accumulate ? lanes.load(to + c) + lanes.load(from + c) : lanes.load(from + c));
      });
    }
  });
}

}  // namespace anodiff::ops::cpu
