// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/annotate.hpp>
#include <anodiff/core/shape.hpp>
#include <cmath>
#include <numbers>

namespace anodiff::ops {

/// relu: max(x, 0). silu: x / (1 + e^-x) (Hendrycks & Gimpel 2016, arXiv:1606.08415). gelu: its tanh form, ibid.
/// section 2. NaN in gives NaN out, for all of them.
enum class activation { identity, relu, silu, gelu };

/// Error of the vectorised float forms against double: relative above 1, absolute below; four times that for slopes.
inline constexpr double activation_bound = 1e-6;

inline constexpr double gelu_scale = 0.7978845608028654;  // sqrt(2 / pi)
inline constexpr double gelu_cubic = 0.044715;

/// y = f(x).
template <class T>
struct activate_forward {
  const T* x;
  T* y;  ///< may be x
  index count;
  activation kind;
};

/// dx = dy f'(x).
template <class T>
struct activate_backward {
  const T* x;  ///< what went into f
  const T* dy;
  T* dx;  ///< may be dy
  index count;
  activation kind;
  bool accumulate;  ///< adds to dx
};

namespace reference {

template <class T>
[[nodiscard]] T activate(activation kind, T x) {
  switch (kind) {
    case activation::identity:
      return x;
    case activation::relu:
      return x < 0 ? T{0} : x;
    case activation::silu:
      return x / (1 + std::exp(-x));
    case activation::gelu:
      return x / (1 + std::exp(T(-2 * gelu_scale) * (x + T(gelu_cubic) * x * x * x)));
  }
  return x;
}

template <class T>
[[nodiscard]] T slope(activation kind, T x) {
  switch (kind) {
    case activation::identity:
      return 1;
    case activation::relu:
      return x > 0 ? T{1} : T{0};
    case activation::silu: {
      const T s = 1 / (1 + std::exp(-x));
      return s * (1 + x * (1 - s));
    }
    case activation::gelu: {
      const T s = 1 / (1 + std::exp(T(-2 * gelu_scale) * (x + T(gelu_cubic) * x * x * x)));
      return s + x * s * (1 - s) * T(2 * gelu_scale) * (1 + T(3 * gelu_cubic) * x * x);
    }
  }
  return 1;
}

template <class T>
void run(const activate_forward<T>& op) {
  for (index i = 0; i < op.count; ++i) op.y[i] = activate(op.kind, op.x[i]);
}
template <class T>
void run(const activate_backward<T>& op) {
  for (index i = 0; i < op.count; ++i)
    op.dx[i] = (op.accumulate ? op.dx[i] : T{0}) + op.dy[i] * slope(op.kind, op.x[i]);
}

}  // namespace reference
}  // namespace anodiff::ops
