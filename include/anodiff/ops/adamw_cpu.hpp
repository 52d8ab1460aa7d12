// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/core/simd.hpp>
#include <anodiff/ops/adamw.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const adamw_step<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  parallel_for(pool, op.count, 16384, [&](index begin, index end) {
    simd::for_each_vector<T>(end - begin, [&](index i, int count) {
      const index at = begin + i;
      const bool whole = count == simd::lanes<T>;
      const auto load = [&](const T* p) { return whole ? simd::load<V>(p + at) : simd::load_part<V>(p + at, count); };
      const auto store = [&](T* p, const V& v) { whole ? simd::store(p + at, v) : simd::store_part(p + at, v, count); };
      const V g = load(op.gradient) * op.gradient_scale;
      const V m = op.beta_1 * load(op.first) + (1 - op.beta_1) * g;
      const V v = op.beta_2 * load(op.second) + (1 - op.beta_2) * g * g;
      store(op.first, m);
      store(op.second, v);
      store(op.gradient, V{});
      const V step = (m / op.correction_1) / (simd::sqrt<V>(v / op.correction_2) + op.epsilon);
      V w = load(op.weight);
      w -= op.rate * (step + op.decay * w);
      store(op.weight, w);
      if (op.average != nullptr) {
        V a = load(op.average);
        a += (1 - op.average_decay) * (w - a);
        store(op.average, a);
      }
    });
  });
}

template <class T>
void run(const sum_of_squares<T>& op, thread_pool& pool) {
  parallel_for(pool, op.count, sum_block, [&](index first, index last) {
    using V = simd::vec<double>;
    constexpr int width = simd::lanes<double>;
    V sums[4]{};
    index i = first;
    for (; i + 4 * width <= last; i += 4 * width)
      unrolled<4>([&](auto k) {
        const V x = whole_lanes<double>{}.load(op.x + i + k * width);
        sums[k] += x * x;
      });
    double block = simd::sum<V>((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < last; ++i) block += static_cast<double>(op.x[i]) * static_cast<double>(op.x[i]);
    op.blocks[first / sum_block] = block;
  });
  *op.sum = 0;
  for (index b = 0; b < (op.count + sum_block - 1) / sum_block; ++b) *op.sum += op.blocks[b];
}

}  // namespace anodiff::ops::cpu
