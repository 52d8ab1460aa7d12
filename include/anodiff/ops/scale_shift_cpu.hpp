// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation_cpu.hpp>
#include <anodiff/ops/pixel_sums_cpu.hpp>
#include <anodiff/ops/scale_shift.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const scale_shift_forward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  const index c = op.channels;
  with_kind(op.kind, [&]<activation Kind>() {
    parallel_for(pool, op.n * op.pixels, std::max<index>(1, activation_grain / std::max<index>(1, c)),
                 [&](index first, index last) {
                   for (index i = first; i < last; ++i) {
                     const T* row = op.table + op.level[i / op.pixels] * 2 * c;
                     const T* x = op.x + i * c;
                     T* y = op.y + i * c;
                     for_each_lanes<T>(c, [&](index j, auto lanes) {
                       const V scale = lanes.load(row + j) + T{1};
                       lanes.store(y + j, activate<Kind, V>(lanes.load(x + j) * scale + lanes.load(row + c + j)));
                     });
                   }
                 });
  });
}

template <class T>
void run(const scale_shift_backward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  const index c = op.channels;
  with_kind(op.kind, [&]<activation Kind>() {
    detail::for_each_strip(pool, op.n, c, [&](index n, index first, index count) {
      const T* row = op.table + op.level[n] * 2 * c + first;
      for_each_lanes<T>(count, [&](index j, auto lanes) {
        const V scale = lanes.load(row + j) + T{1}, shift = lanes.load(row + c + j);
        V scale_sum{}, shift_sum{};
        for (index i = 0; i < op.pixels; ++i) {
          const index at = (n * op.pixels + i) * c + first + j;
          const V x = lanes.load(op.x + at);
          const V dz = lanes.load(op.dy + at) * slope<Kind, V>(x * scale + shift);
          scale_sum += dz * x;
          shift_sum += dz;
          if (op.dx != nullptr)
            lanes.store(op.dx + at, op.accumulate ? lanes.load(op.dx + at) + dz * scale : dz * scale);
        }
        if (op.sums == nullptr) return;
        lanes.store(op.sums + n * 2 * c + first + j, scale_sum);
        lanes.store(op.sums + (n * 2 + 1) * c + first + j, shift_sum);
      });
    });
  });
}

}  // namespace anodiff::ops::cpu
