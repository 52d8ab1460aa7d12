// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/batch_norm.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// Calls f(column, lanes) over all columns, which the workers share out, so that each sums its rows in order.
template <class F>
void for_each_column(thread_pool& pool, index width, F&& f) {
  parallel_for(pool, width, 64, [&](index first, index last) {
    for_each_lanes<double>(last - first, [&](index at, auto lanes) { f(first + at, lanes); });
  });
}

}  // namespace detail

template <class T>
void run(const batch_norm_forward<T>& op, thread_pool& pool) {
  using V = simd::vec<double>;
  detail::for_each_column(pool, op.width, [&](index j, auto lanes) {
    V mean = lanes.load(op.moving_mean + j), variance = lanes.load(op.moving_variance + j);
    if (op.training) {
      const auto n = static_cast<double>(op.rows);
      V sum{}, square{};
      for (index i = 0; i < op.rows; ++i) sum += lanes.load(op.x + i * op.width + j);
      const V kept_mean = mean, kept_variance = variance;
      mean = sum / n;
      for (index i = 0; i < op.rows; ++i) {
        const V e = lanes.load(op.x + i * op.width + j) - mean;
        square += e * e;
      }
      variance = square / n;
      const V unbiased = op.rows > 1 ? square / (n - 1) : V{};
      lanes.store(op.moving_mean + j, kept_mean + batch_norm_momentum * (mean - kept_mean));
      lanes.store(op.moving_variance + j, kept_variance + batch_norm_momentum * (unbiased - kept_variance));
    }
    lanes.store(op.mean + j, mean);
    lanes.store(op.inverse + j, 1 / simd::sqrt<V>(variance + batch_norm_epsilon));
    const V used_mean = lanes.load(op.mean + j), inverse = lanes.load(op.inverse + j);
    const V gain = lanes.load(op.gain + j), bias = lanes.load(op.bias + j);
    for (index i = 0; i < op.rows; ++i) {
      const index at = i * op.width + j;
      lanes.store(op.y + at, (lanes.load(op.x + at) - used_mean) * inverse * gain + bias);
    }
  });
}

template <class T>
void run(const batch_norm_backward<T>& op, thread_pool& pool) {
  using V = simd::vec<double>;
  detail::for_each_column(pool, op.width, [&](index j, auto lanes) {
    const V mean = lanes.load(op.mean + j), inverse = lanes.load(op.inverse + j);
    V sum{}, product{};  // of dy, and of dy x̂
    for (index i = 0; i < op.rows; ++i) {
      const V dy = lanes.load(op.dy + i * op.width + j);
      sum += dy;
      product += dy * ((lanes.load(op.x + i * op.width + j) - mean) * inverse);
    }
    if (op.dgain != nullptr) {
      lanes.store(op.dgain + j, lanes.load(op.dgain + j) + product);
      lanes.store(op.dbias + j, lanes.load(op.dbias + j) + sum);
    }
    if (op.dx == nullptr) return;
    const auto n = static_cast<double>(op.rows);
    const V average = op.training ? sum / n : V{}, slant = op.training ? product / n : V{};
    const V scale = inverse * lanes.load(op.gain + j);
    for (index i = 0; i < op.rows; ++i) {
      const index at = i * op.width + j;
      V value = (lanes.load(op.dy + at) - average - (lanes.load(op.x + at) - mean) * inverse * slant) * scale;
      if (op.accumulate) value += lanes.load(op.dx + at);
      lanes.store(op.dx + at, value);
    }
  });
}

}  // namespace anodiff::ops::cpu
