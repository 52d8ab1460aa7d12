// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.hpp>
#include <anodiff/ops/elementwise.cuh>

namespace anodiff::ops::cuda {

namespace detail {

inline constexpr float log2_of_e = 1.44269504F;

/// 1 / (1 + e^-x). NaN passes.
__device__ __forceinline__ float logistic(float x) noexcept {
  return device::divide_fast(1.0F, 1.0F + device::exp2_fast(-log2_of_e * x));
}
__device__ __forceinline__ float gelu_argument(float x) noexcept {
  return static_cast<float>(2 * gelu_scale) * device::fused(static_cast<float>(gelu_cubic) * x * x, x, x);
}

__device__ __forceinline__ float activate(activation kind, float x) noexcept {
  switch (kind) {
    case activation::identity:
      return x;
    case activation::relu:
      return x < 0 ? 0.0F : x;
    case activation::silu:
      return x * logistic(x);
    case activation::gelu:
      return x * logistic(gelu_argument(x));
  }
  return x;
}

__device__ __forceinline__ float slope(activation kind, float x) noexcept {
  switch (kind) {
    case activation::identity:
      return 1;
    case activation::relu:
      return x > 0 ? 1.0F : 0.0F;
    case activation::silu: {
      const float s = logistic(x);
      return s * device::fused(x, 1 - s, 1.0F);
    }
    case activation::gelu: {
      const float s = logistic(gelu_argument(x));
      const float inner =
          static_cast<float>(2 * gelu_scale) * device::fused(static_cast<float>(3 * gelu_cubic) * x, x, 1.0F);
      return device::fused(x * s * (1 - s), inner, s);
    }
  }
  return 1;
}

template <class T>
struct activate_work {
  static constexpr int lanes = device::lanes_of<T>;
  const T* x;
  T* y;
  activation kind;
  template <bool Wide>
  __device__ __forceinline__ void run(std::size_t at, std::uint32_t left) const {
    float v[lanes];
    device::load<Wide>(x + at, left, v);
    device::unrolled<lanes>([&](auto k) { v[k] = activate(kind, v[k]); });
    device::store<Wide>(y + at, left, v);
  }
};

template <class T>
struct slope_work {
  static constexpr int lanes = device::lanes_of<T>;
  const T *x, *dy;
  T* dx;
  activation kind;
  bool accumulate;
  template <bool Wide>
  __device__ __forceinline__ void run(std::size_t at, std::uint32_t left) const {
    float v[lanes], d[lanes], sum[lanes] = {};
    device::load<Wide>(x + at, left, v);
    device::load<Wide>(dy + at, left, d);
    if (accumulate) device::load<Wide>(dx + at, left, sum);
    device::unrolled<lanes>([&](auto k) { sum[k] = device::fused(d[k], slope(kind, v[k]), sum[k]); });
    device::store<Wide>(dx + at, left, sum);
  }
};

}  // namespace detail

template <class T>
void run(const activate_forward<T>& op, device::stream on) {
  detail::for_each_element(detail::activate_work<T>{op.x, op.y, op.kind}, op.count, on, op.x, op.y);
}
template <class T>
void run(const activate_backward<T>& op, device::stream on) {
  detail::for_each_element(detail::slope_work<T>{op.x, op.dy, op.dx, op.kind, op.accumulate}, op.count, on, op.x, op.dy,
                           op.dx);
}

}  // namespace anodiff::ops::cuda
