// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/layer_norm.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

template <class F>
void for_each_normed_row(thread_pool& pool, index rows, index width, F&& f) {
  parallel_for(pool, rows, std::max<index>(1, 8192 / std::max<index>(1, width)), [&](index first, index last) {
    for (index i = first; i < last; ++i) f(i);
  });
}

}  // namespace detail

template <class T>
void run(const layer_norm_forward<T>& op, thread_pool& pool) {
  using V = simd::vec<double>;
  detail::for_each_normed_row(pool, op.rows, op.width, [&](index i) {
    const T *x = op.x + i * op.width, *gain = op.gain, *bias = op.bias;
    T* y = op.y + i * op.width;
    const auto width = static_cast<double>(op.width);
    const double mean = sum_lanes<double>(op.width, [&](index j, auto lanes) { return lanes.load(x + j); }) / width;
    const double square = sum_lanes<double>(op.width, [&](index j, auto lanes) {
      const V e = lanes.load(x + j) - lanes.broadcast(mean);
      return e * e;
    });
    const double inverse = 1 / std::sqrt(square / width + layer_norm_epsilon);
    if (op.mean != nullptr) op.mean[i] = static_cast<T>(mean);
    if (op.inverse != nullptr) op.inverse[i] = static_cast<T>(inverse);
    for_each_lanes<double>(op.width, [&](index j, auto lanes) {
      lanes.store(y + j, (lanes.load(x + j) - mean) * inverse * lanes.load(gain + j) + lanes.load(bias + j));
    });
  });
}

template <class T>
void run(const layer_norm_backward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  if (op.dgain != nullptr)  // columns are shared out, so that each sums its rows in order
    parallel_for(pool, op.width, 64, [&](index first, index last) {
      for_each_lanes_by<T, 4>(last - first, [&](index at, auto lanes, auto vectors) {
        const auto column = [&](auto v) { return first + at + v * simd::lanes<T>; };
        V dgain[vectors], dbias[vectors];
        unrolled<vectors>([&](auto v) {
          dgain[v] = lanes.load(op.dgain + column(v));
          dbias[v] = lanes.load(op.dbias + column(v));
        });
        for (index i = 0; i < op.rows; ++i) {
          const T mean = op.mean[i], inverse = op.inverse[i];
          unrolled<vectors>([&](auto v) {
            const index j = i * op.width + column(v);
            const V dy = lanes.load(op.dy + j);
            dgain[v] += dy * ((lanes.load(op.x + j) - mean) * inverse);
            dbias[v] += dy;
          });
        }
        unrolled<vectors>([&](auto v) {
          lanes.store(op.dgain + column(v), dgain[v]);
          lanes.store(op.dbias + column(v), dbias[v]);
        });
      });
    });
  if (op.dx == nullptr) return;
  detail::for_each_normed_row(pool, op.rows, op.width, [&](index i) {
    const T *x = op.x + i * op.width, *dy = op.dy + i * op.width, *gain = op.gain;
    T* dx = op.dx + i * op.width;
    const T mean = op.mean[i], inverse = op.inverse[i];
    const auto width = static_cast<double>(op.width);
    using D = simd::vec<double>;
    const auto slope = [&](index j, auto lanes) -> D { return lanes.load(dy + j) * lanes.load(gain + j); };
    const double sum = sum_lanes<double>(op.width, slope);
    const double product = sum_lanes<double>(op.width, [&](index j, auto lanes) -> D {
      return slope(j, lanes) * (lanes.load(x + j) - static_cast<double>(mean));
    });
    const T average = static_cast<T>(sum / width);
    const T slant = static_cast<T>(product * static_cast<double>(inverse) / width);
    for_each_lanes<T>(op.width, [&](index j, auto lanes) {
      const V normed = (lanes.load(x + j) - mean) * inverse;
      V value = (lanes.load(dy + j) * lanes.load(gain + j) - average - normed * slant) * inverse;
      if (op.accumulate) value += lanes.load(dx + j);
      lanes.store(dx + j, value);
    });
  });
}

}  // namespace anodiff::ops::cpu
