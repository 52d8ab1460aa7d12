// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/core/simd.hpp>
#include <anodiff/ops/activation.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

/// f and f' on vectors; the formulas are those of reference::activate and reference::slope.
template <activation Kind, class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V activate(const V& x) noexcept {
  using T = simd::element<V>;
  if constexpr (Kind == activation::relu) return simd::max<V>(V{}, x);  // in this order NaN passes
  if constexpr (Kind == activation::silu) return x * simd::sigmoid<V>(x);
  if constexpr (Kind == activation::gelu)
    return x * simd::sigmoid<V>(T(2 * gelu_scale) * (x + T(gelu_cubic) * x * x * x));
  return x;
}
template <activation Kind, class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V slope(const V& x) noexcept {
  using T = simd::element<V>;
  const V one = simd::broadcast<V>(1);
  if constexpr (Kind == activation::relu) return x > V{} ? one : V{};
  if constexpr (Kind == activation::silu) {
    const V s = simd::sigmoid<V>(x);
    return s * (one + x * (one - s));
  }
  if constexpr (Kind == activation::gelu) {
    const V s = simd::sigmoid<V>(T(2 * gelu_scale) * (x + T(gelu_cubic) * x * x * x));
    return s + x * s * (one - s) * T(2 * gelu_scale) * (one + T(3 * gelu_cubic) * x * x);
  }
  return one;
}

/// Calls f with the kind as a compile-time constant.
template <class F>
ANODIFF_ALWAYS_INLINE decltype(auto) with_kind(activation kind, F&& f) {
  switch (kind) {
    case activation::relu:
      return f.template operator()<activation::relu>();
    case activation::silu:
      return f.template operator()<activation::silu>();
    case activation::gelu:
      return f.template operator()<activation::gelu>();
    case activation::identity:
      break;
  }
  return f.template operator()<activation::identity>();
}

inline constexpr index activation_grain = 16384;

template <class T>
void run(const activate_forward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  with_kind(op.kind, [&]<activation Kind>() {
    parallel_for(pool, op.count, activation_grain, [&](index first, index last) {
      const T* x = op.x + first;
      T* y = op.y + first;
      for_each_lanes<T>(last - first,
                        [&](index i, auto lanes) { lanes.store(y + i, activate<Kind, V>(lanes.load(x + i))); });
    });
  });
}

template <class T>
void run(const activate_backward<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  with_kind(op.kind, [&]<activation Kind>() {
    parallel_for(pool, op.count, activation_grain, [&](index first, index last) {
      const T *x = op.x + first, *dy = op.dy + first;
      T* dx = op.dx + first;
      const bool add = op.accumulate;
      for_each_lanes<T>(last - first, [&](index i, auto lanes) {
        const V gradient = lanes.load(dy + i) * slope<Kind, V>(lanes.load(x + i));
        lanes.store(dx + i, add ? lanes.load(dx + i) + gradient : gradient);
      });
    });
  });
}

}  // namespace anodiff::ops::cpu
