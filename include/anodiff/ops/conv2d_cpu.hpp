// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/conv2d.hpp>
#include <anodiff/ops/conv2d_bytes_cpu.hpp>
#include <anodiff/ops/linear_cpu.hpp>
#include <anodiff/ops/window_cpu.hpp>
#include <anodiff/ops/winograd_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

template <class T>
[[nodiscard]] windowed<T> windows_of(const conv2d_shape& s, const T* x) noexcept {
  return {x, s.height, s.width, s.in, s.kernel, s.stride, s.before, s.out_height(), s.out_width()};
}
/// The windows of the gradient: over dy with its pixels spread by the stride, so that each pixel of x sees its own.
template <class T>
[[nodiscard]] windowed<T> windows_back(const conv2d_shape& s, const T* dy) noexcept {
  return {dy, s.out_height(), s.out_width(), s.out, s.kernel, 1, s.kernel - 1 - s.before, s.height, s.width, s.stride};
}

/// Rows of the packed weights for each channel that the windows read.
[[nodiscard]] constexpr index taps_of(const conv2d_shape& s) noexcept {
  return uses_winograd(s) ? winograd_points : s.kernel * s.kernel;
}
template <class T>
[[nodiscard]] index packed_size(index depth, index out) noexcept {
  constexpr index columns = tile_size<T>::columns;
  return (out + columns - 1) / columns * columns * depth;
}
/// For multiply_any, with its weights of `out` columns packed in front; 0 where they are packed already.
template <class T>
[[nodiscard]] index windows_scratch(const conv2d_shape& s, const windowed<T>& from, index out, thread_pool& pool) {
  index each = s.is_pointwise() ? 0 : uses_winograd(s) ? winograd_tiles{from}.elements : window_patch{from}.elements;
  if (out > 0 && uses_winograd(s)) each = std::max(each, winograd_cut<T>::elements);
  return packed_size<T>(taps_of(s) * from.channels, out) + pool.threads() * each;
}
/// The product with the windows, by whichever way the shape asks for.
template <class T, class Panel, class Finish>
void multiply_any(const conv2d_shape& s, const windowed<T>& from, index n, index out, Panel&& panel, thread_pool& pool,
                  T* scratch, Finish&& finish) {
  if (s.is_pointwise())
    multiply_pixels<T>(from, n, out, panel, pool, finish);
  else if (uses_winograd(s))
    multiply_winograd<T>(from, n, out, panel, pool, scratch, finish);
  else
    multiply_windows<T>(from, n, out, panel, pool, scratch, finish);
}

/// What follows the product, on a piece of some neighbouring pixels: bias, table, residual.
template <class T, class Weight>
struct conv2d_finish {
  const conv2d_forward<T, Weight>& op;
  void operator()(index picture, index pixel, index pixels, index column, const T* sums, index stride,
                  index count) const noexcept {
    using V = simd::vec<T>;
    const index out = op.shape.out, at = (picture * op.shape.out_pixels() + pixel) * out + column;
    const T* table = op.table != nullptr ? op.table + op.level[picture] * out + column : nullptr;
    for_each_lanes<T>(count, [&](index j, auto lanes) {
      const V bias = op.bias != nullptr ? lanes.load(op.bias + column + j) : V{};
      const V shift = table != nullptr ? lanes.load(table + j) : V{};
      for (index i = 0; i < pixels; ++i) {
        V z = lanes.load(sums + i * stride + j) + bias + shift;
        if (op.residual != nullptr) z += lanes.load(op.residual + at + i * out + j);
        lanes.store(op.y + at + i * out + j, z);
      }
    });
  }
};

/// Writes or adds such a piece to the gradient of the pictures.
template <class T>
struct store_pixels {
  T* target;
  index pixels_of_picture, channels;
  bool add;
  void operator()(index picture, index pixel, index pixels, index column, const T* sums, index stride,
                  index count) const noexcept {
    T* to = target + (picture * pixels_of_picture + pixel) * channels + column;
    for_each_lanes<T>(count, [&](index j, auto lanes) {
      for (index i = 0; i < pixels; ++i) {
        const auto sum = lanes.load(sums + i * stride + j);
        T* at = to + i * channels + j;
        lanes.store(at, add ? lanes.load(at) + sum : sum);
      }
    });
  }
};

}  // namespace detail

/// Rows of the packed weights of a convolution.
[[nodiscard]] constexpr index packed_rows(const conv2d_shape& s) noexcept { return detail::taps_of(s) * s.in; }

template <class T, class Weight>
[[nodiscard]] index scratch(const conv2d_forward<T, Weight>& op, thread_pool& pool) noexcept {
  const bool packs = std::is_same_v<Weight, const T*>;
  const auto from = detail::windows_of(op.shape, op.x);
  const index whole = detail::windows_scratch(op.shape, from, packs ? op.shape.out : 0, pool);
  if constexpr (std::is_same_v<T, float> && std::is_same_v<Weight, const packed_matrix<T>*>)
    return std::max(whole, (op.n + 15) / 16 * 16 + pool.threads() * byte_scratch(from));
  return whole;
}

template <class T>
void run(const conv2d_forward<T, const packed_matrix<T>*>& op, thread_pool& pool) {
  const auto& s = op.shape;
  const detail::conv2d_finish<T, const packed_matrix<T>*> finish{op};
  if constexpr (std::is_same_v<T, float>)
    if (const byte_matrix& weight = op.weight->in_bytes(); !weight.empty())
      return multiply_bytes(detail::windows_of(s, op.x), op.n, s.out, weight, pool, op.scratch, finish);
  detail::multiply_any<T>(
      s, detail::windows_of(s, op.x), op.n, s.out, [&](index p) { return op.weight->panel(p); }, pool, op.scratch,
      finish);
}

template <class T>
void run(const conv2d_forward<T>& op, thread_pool& pool) {
  const auto& s = op.shape;
  const detail::conv2d_finish<T, const T*> finish{op};
  constexpr index columns = tile_size<T>::columns;
  const index depth = packed_rows(s);
  T *const packed = op.scratch, *const rest = packed + detail::packed_size<T>(depth, s.out);
  if (uses_winograd(s))
    pack_winograd(op.weight, s.in, s.out, false, packed, pool, rest);
  else
    pool.run((s.out + columns - 1) / columns, [&](index p) {
      pack_panel<T>({op.weight, s.out, 1}, s.out, p * columns, 0, depth, packed + p * columns * depth);
    });
  detail::multiply_any<T>(
      s, detail::windows_of(s, op.x), op.n, s.out, [&](index p) { return packed + p * columns * depth; }, pool, rest,
      finish);
}

template <class T>
[[nodiscard]] index scratch(const conv2d_backward<T>& op, thread_pool& pool) noexcept {
  const auto& s = op.shape;
  const index product = detail::windows_scratch(s, detail::windows_back(s, op.dy), s.in, pool);
  if (s.is_pointwise()) return product;
  const window_slab slab{detail::windows_of(s, op.x), op.n, s.out};
  return std::max(slab.left + slab.right, product);
}

template <class T>
void run(const conv2d_backward<T>& op, thread_pool& pool) {
  const auto& s = op.shape;
  if (s.is_pointwise()) {
    linear_backward<T> dense{};
    dense.x = op.x;
    dense.dy = op.dy;
    dense.dz = const_cast<T*>(op.dy);  // without an activation it is only read
    dense.dweight = op.dweight;
    dense.rows = op.n * s.out_pixels();
    dense.in = s.in;
    dense.out = s.out;
    run(dense, pool);
  } else if (op.dweight != nullptr) {
    add_window_products<T>(detail::windows_of(s, op.x), op.n, op.dy, s.out, op.dweight, pool, op.scratch);
  }
  if (op.dbias != nullptr)
    parallel_for(pool, s.out, 64, [&](index first, index last) {
      detail::add_column_sums(op.dy, op.n * s.out_pixels(), s.out, first, last, op.dbias);
    });
  if (op.dx == nullptr) return;
  // the taps in reverse, each (in, out) block turned
  constexpr index columns = tile_size<T>::columns;
  const index taps = detail::taps_of(s), depth = taps * s.out;
  T *const packed = op.scratch, *const rest = packed + detail::packed_size<T>(depth, s.in);
  if (uses_winograd(s))
    pack_winograd(op.weight, s.in, s.out, true, packed, pool, rest);
  else
    pool.run((s.in + columns - 1) / columns, [&](index p) {
      for (index tap = 0; tap < taps; ++tap)
        pack_panel<T>({op.weight + (taps - 1 - tap) * s.in * s.out, 1, s.out}, s.in, p * columns, 0, s.out,
                      packed + (p * depth + tap * s.out) * columns);
    });
  detail::multiply_any<T>(
      s, detail::windows_back(s, op.dy), op.n, s.in, [&](index p) { return packed + p * columns * depth; }, pool, rest,
      detail::store_pixels<T>{op.dx, s.height * s.width, s.in, op.accumulate});
}

}  // namespace anodiff::ops::cpu
