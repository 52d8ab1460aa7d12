// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/conv2d.hpp>
#include <anodiff/ops/linear.cuh>

namespace anodiff::ops::cuda {

/// Elements of unfolded pictures that lie in memory at once, unless one picture has more.
inline constexpr index unfolded_most = index{1} << 24;

namespace detail {

/// columns (n, out pixels, taps, in) = what the window sees of x (n, height, width, in) at each pixel of y.
template <class T>
struct unfold {
  const T* x;
  T* columns;
  index n;
  conv2d_shape shape;
};
/// dx (n, height, width, in) = the columns' gradients, each where it came from; the taps in order.
template <class T>
struct fold {
  const T* columns;
  T* dx;
  index n;
  conv2d_shape shape;
  bool accumulate;
};

template <bool Wide, class T>
__global__ void __launch_bounds__(elementwise_block) unfold_kernel(const unfold<T> op, std::uint32_t count) {
  using namespace device;
  constexpr std::uint32_t lanes = Wide ? 4 : 1;
  const auto& s = op.shape;
  const std::uint32_t e = (blockIdx.x * elementwise_block + threadIdx.x) * lanes;
  if (e >= count) return;
  const auto in = static_cast<std::uint32_t>(s.in), kernel = static_cast<std::uint32_t>(s.kernel),
             wide = static_cast<std::uint32_t>(s.out_width()), high = static_cast<std::uint32_t>(s.out_height());
  const std::uint32_t c = e % in, place = e / in, tap = place % (kernel * kernel), pixel = place / (kernel * kernel);
  const std::uint32_t j = pixel % wide, line = pixel / wide, i = line % high, n = line / high;
  const index row = s.stride * i + tap / kernel - s.before, column = s.stride * j + tap % kernel - s.before;
  float v[lanes] = {};
  if (row >= 0 && row < s.height && column >= 0 && column < s.width)
    load<Wide>(op.x + ((n * s.height + row) * s.width + column) * s.in + c, lanes, v);
  store<Wide>(op.columns + e, lanes, v);
}

template <class T>
__global__ void __launch_bounds__(elementwise_block) fold_kernel(const fold<T> op, std::uint32_t count) {
  const auto& s = op.shape;
  const std::uint32_t e = blockIdx.x * elementwise_block + threadIdx.x;
  if (e >= count) return;
  const auto in = static_cast<std::uint32_t>(s.in), width = static_cast<std::uint32_t>(s.width),
             height = static_cast<std::uint32_t>(s.height);
  const std::uint32_t c = e % in, pixel = e / in;
  const index column = pixel % width, row = pixel / width % height, n = pixel / width / height;
  float sum = op.accumulate ? op.dx[e] : 0;
  for (index p = 0; p < s.kernel; ++p)
    for (index q = 0; q < s.kernel; ++q) {
      const index i = row + s.before - p, j = column + s.before - q;
      if (i < 0 || j < 0 || i % s.stride != 0 || j % s.stride != 0) continue;
      if (i / s.stride >= s.out_height() || j / s.stride >= s.out_width()) continue;
      const index to = (n * s.out_height() + i / s.stride) * s.out_width() + j / s.stride;
      sum += op.columns[((to * s.kernel + p) * s.kernel + q) * s.in + c];
    }
  op.dx[e] = sum;
}

[[nodiscard]] inline index pictures_a_piece(const conv2d_shape& s, index n) noexcept {
  const index one = s.out_pixels() * s.depth(), fit = unfolded_most / (one > 0 ? one : 1);
  return fit < 1 ? 1 : fit < n ? fit : n;
}
[[nodiscard]] inline index unfolded_size(const conv2d_shape& s, index n) noexcept {
  return s.is_pointwise() ? 0 : pictures_a_piece(s, n) * s.out_pixels() * s.depth();
}
template <class F>
void for_each_piece(const conv2d_shape& s, index n, F&& f) {
  check(s.out_pixels() * s.depth() < device::most_elements && s.height * s.width * s.in < device::most_elements,
        "cuda: an unfolded picture has at most 2^31 - 1 elements, got ", s.out_pixels() * s.depth());
  const index most = pictures_a_piece(s, n);
  for (index first = 0; first < n; first += most) f(first, n - first < most ? n - first : most);
}
inline void launch_unfold(const unfold<float>& op, device::stream on) {
  const auto& s = op.shape;
  const bool wide = s.in % 4 == 0 && device::aligned(op.x) && device::aligned(op.columns);
  const index count = op.n * s.out_pixels() * s.depth();
  device::launch(on, {device::blocks_for(wide ? count / 4 : count, elementwise_block), elementwise_block},
                 wide ? &unfold_kernel<true, float> : &unfold_kernel<false, float>, op,
                 static_cast<std::uint32_t>(count));
}

}  // namespace detail

/// Elements of working memory that the two below need.
template <class Weight>
[[nodiscard]] index scratch(const conv2d_forward<float, Weight>& op) noexcept {
  return detail::unfolded_size(op.shape, op.n);
}
[[nodiscard]] inline index scratch(const conv2d_backward<float>& op) noexcept {
  return detail::unfolded_size(op.shape, op.n);
}

/// Pictures are unfolded, as many at once as unfolded_most allows, and multiplied by `product` as a dense layer's rows.
/// y must not be the residual.
template <class Product>
void run(const conv2d_forward<float>& op, Product& product, device::stream on) {
  const auto& s = op.shape;
  if (op.n <= 0 || s.out_pixels() <= 0) return;
  detail::for_each_piece(s, op.n, [&](index first, index n) {
    const float* x = op.x + first * s.height * s.width * s.in;
    if (!s.is_pointwise()) {
      detail::launch_unfold({x, op.scratch, n, s}, on);
      x = op.scratch;
    }
    const index at = first * s.out_pixels() * s.out, pixels = n * s.out_pixels();
    product.run(dense_product<float>{.a = x, .b = op.weight, .c = op.y + at, .m = pixels, .n = s.out, .k = s.depth()},
                on);
    if (op.bias == nullptr && op.table == nullptr && op.residual == nullptr) return;
    run(linear_epilogue<float>{.z = op.y + at,
                               .bias = op.bias,
                               .table = op.table,
                               .level = op.table != nullptr ? op.level + first : nullptr,
                               .residual = op.residual != nullptr ? op.residual + at : nullptr,
                               .y = op.y + at,
                               .rows = pixels,
                               .out = s.out,
                               .share = s.out_pixels()},
        on);
  });
}

template <class Product>
void run(const conv2d_backward<float>& op, Product& product, device::stream on) {
  const auto& s = op.shape;
  if (op.n <= 0 || s.out_pixels() <= 0) return;
  if (op.dbias != nullptr) run(add_columns<float>{op.dy, op.dbias, op.n * s.out_pixels(), s.out}, on);
  detail::for_each_piece(s, op.n, [&](index first, index n) {
    const index from = first * s.height * s.width * s.in, pixels = n * s.out_pixels();
    const float *const dy = op.dy + first * s.out_pixels() * s.out, *x = op.x + from;
    if (op.dweight != nullptr) {
      if (!s.is_pointwise()) {
        detail::launch_unfold({x, op.scratch, n, s}, on);
        x = op.scratch;
      }
      product.run(dense_product<float>{.a = x,
                                       .b = dy,
                                       .c = op.dweight,
                                       .m = s.depth(),
                                       .n = s.out,
                                       .k = pixels,
                                       .a_transposed = true,
                                       .add = true},
                  on);
    }
    if (op.dx == nullptr) return;
    product.run(dense_product<float>{.a = dy,
                                     .b = op.weight,
                                     .c = s.is_pointwise() ? op.dx + from : op.scratch,
                                     .m = pixels,
                                     .n = s.depth(),
                                     .k = s.out,
                                     .b_transposed = true,
                                     .add = s.is_pointwise() && op.accumulate},
                on);
    if (s.is_pointwise()) return;
    const index count = n * s.height * s.width * s.in;
    device::launch(on, {device::blocks_for(count, detail::elementwise_block), detail::elementwise_block},
                   &detail::fold_kernel<float>, detail::fold<float>{op.scratch, op.dx + from, n, s, op.accumulate},
                   static_cast<std::uint32_t>(count));
  });
}

}  // namespace anodiff::ops::cuda
