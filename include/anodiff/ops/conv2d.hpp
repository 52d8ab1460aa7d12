// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// Error of the float convolution against the same sum in double, relative above 1, for sums of up to 9 · 1024 terms
/// of order 1.
inline constexpr double conv2d_bound = 4e-5;
/// The same where an engine may use a fast algorithm, whose intermediate values are larger than its results.
inline constexpr double conv2d_fast_bound = 1e-3;

/// Extents of one picture, and how the square window moves over it. Beyond the picture there are zeros.
struct conv2d_shape {
  index height = 0, width = 0, in = 0;  ///< of x: (n, height, width, in)
  index out = 0;                        ///< channels of y
  index kernel = 3;                     ///< side of the window, at least 1
  index stride = 1;                     ///< at least 1
  index before = 1, after = 1;          ///< zeros above and left of the picture, and below and right; [0, kernel)
  bool same_everywhere = false;         ///< a pixel's rounding must not depend on its place: crops give the same bits

  [[nodiscard]] constexpr index out_height() const noexcept { return (height + before + after - kernel) / stride + 1; }
  [[nodiscard]] constexpr index out_width() const noexcept { return (width + before + after - kernel) / stride + 1; }
  [[nodiscard]] constexpr index out_pixels() const noexcept { return out_height() * out_width(); }
  /// Rows of the weight matrix: one for each tap of the window and channel of x.
  [[nodiscard]] constexpr index depth() const noexcept { return kernel * kernel * in; }
  /// Whether each pixel of y reads the one of x below it alone: a dense layer over pixels.
  [[nodiscard]] constexpr bool is_pointwise() const noexcept {
    return kernel == 1 && stride == 1 && before == 0 && after == 0;
  }
};

/// y[n, i, j] = Σ_(p, q) x[n, stride i + p − before, stride j + q − before] W[p, q] + bias + table[level[n]] +
/// residual, with every part but the sum optional (null).
template <class T, class Weight = const T*>
struct conv2d_forward {
  const T* x = nullptr;                 ///< (n, height, width, in)
  Weight weight = nullptr;              ///< (kernel · kernel · in, out), row-major, or the engine's packed form of it
  const T* bias = nullptr;              ///< (out)
  const T* table = nullptr;             ///< (levels, out)
  const std::int32_t* level = nullptr;  ///< (n); read with a table
  const T* residual = nullptr;          ///< of the shape of y
  T* y = nullptr;                       ///< (n, out height, out width, out); not x
  index n = 0;
  conv2d_shape shape{};
  T* scratch = nullptr;  ///< as much as the engine's scratch() says
};

/// The same convolution with its weights in another form.
template <class T, class From, class Weight>
[[nodiscard]] constexpr conv2d_forward<T, Weight> with_weight(const conv2d_forward<T, From>& op,
                                                              Weight weight) noexcept {
  return {.x = op.x,
          .weight = weight,
          .bias = op.bias,
          .table = op.table,
          .level = op.level,
          .residual = op.residual,
          .y = op.y,
          .n = op.n,
          .shape = op.shape,
          .scratch = op.scratch};
}

/// Gradients of conv2d_forward; the sums over pixels are taken in order, picture after picture.
template <class T>
struct conv2d_backward {
  const T* x = nullptr;       ///< (n, height, width, in)
  const T* weight = nullptr;  ///< (kernel · kernel · in, out), row-major
  const T* dy = nullptr;      ///< (n, out height, out width, out)
  T* dweight = nullptr;       ///< always added to
  T* dbias = nullptr;         ///< (out); always added to
  T* dx = nullptr;            ///< (n, height, width, in); not dy
  bool accumulate = false;    ///< adds to dx instead of writing it
  index n = 0;
  conv2d_shape shape{};
  T* scratch = nullptr;  ///< as much as the engine's scratch() says
};

namespace reference {
namespace detail {

/// Calls f(pixel of x, tap, pixel of y) for each pair that the window of y's pixel joins, inside the picture.
template <class F>
void for_each_tap(const conv2d_shape& s, F&& f) {
  for (index i = 0; i < s.out_height(); ++i)
    for (index j = 0; j < s.out_width(); ++j)
      for (index p = 0; p < s.kernel; ++p)
        for (index q = 0; q < s.kernel; ++q) {
          const index row = s.stride * i + p - s.before, column = s.stride * j + q - s.before;
          if (row >= 0 && row < s.height && column >= 0 && column < s.width)
            f(row * s.width + column, p * s.kernel + q, i * s.out_width() + j);
        }
}

}  // namespace detail

template <class T>
void run(const conv2d_forward<T>& op) {
  const auto& s = op.shape;
  for (index n = 0; n < op.n; ++n) {
    const T* x = op.x + n * s.height * s.width * s.in;
    T* y = op.y + n * s.out_pixels() * s.out;
    for (index i = 0; i < s.out_pixels() * s.out; ++i) y[i] = 0;
    detail::for_each_tap(s, [&](index from, index tap, index to) {
      for (index c = 0; c < s.in; ++c)
        for (index o = 0; o < s.out; ++o)
          y[to * s.out + o] += x[from * s.in + c] * op.weight[(tap * s.in + c) * s.out + o];
    });
    for (index i = 0; i < s.out_pixels(); ++i)
      for (index o = 0; o < s.out; ++o) {
        T& z = y[i * s.out + o];
        if (op.bias != nullptr) z += op.bias[o];
        if (op.table != nullptr) z += op.table[op.level[n] * s.out + o];
        if (op.residual != nullptr) z += op.residual[(n * s.out_pixels() + i) * s.out + o];
      }
  }
}

template <class T>
void run(const conv2d_backward<T>& op) {
  const auto& s = op.shape;
  if (op.dx != nullptr && !op.accumulate)
    for (index i = 0; i < op.n * s.height * s.width * s.in; ++i) op.dx[i] = 0;
  for (index n = 0; n < op.n; ++n) {
    const index at = n * s.height * s.width * s.in;
    const T* dy = op.dy + n * s.out_pixels() * s.out;
    if (op.dbias != nullptr)
      for (index i = 0; i < s.out_pixels() * s.out; ++i) op.dbias[i % s.out] += dy[i];
    detail::for_each_tap(s, [&](index from, index tap, index to) {
      for (index c = 0; c < s.in; ++c)
        for (index o = 0; o < s.out; ++o) {
          const T dz = dy[to * s.out + o];
          const index weight = (tap * s.in + c) * s.out + o;
          if (op.dweight != nullptr) op.dweight[weight] += op.x[at + from * s.in + c] * dz;
          if (op.dx != nullptr) op.dx[at + from * s.in + c] += dz * op.weight[weight];
        }
    });
  }
}

}  // namespace reference
}  // namespace anodiff::ops
