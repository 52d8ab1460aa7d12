// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/ops/conv2d.hpp>
#include <anodiff/ops/window_cpu.hpp>

/// Convolution by Winograd's minimal filtering F(4 × 4, 3 × 3): four times fewer multiplications for windows of 3 by 3
/// that move by one. Lavin & Gray 2015, arXiv:1509.09308, section 4.1 with the matrices of its section 4.3. A tile of
/// 6 by 6 pixels becomes 36 values a channel, 36 products with as many matrices follow, and a tile of 4 by 4 results
/// comes back. The rounding of a pixel depends on its place within its tile and on all of the tile's 6 by 6 pixels, and
/// on nothing else: not on the batch, nor on the threads.
namespace anodiff::ops::cpu {

inline constexpr index winograd_points = 36;

/// Whether the tiles are worth their transforms, and a picture has enough of them for weights four times as large; a
/// matter of the shape alone, never of the batch.
[[nodiscard]] constexpr bool uses_winograd(const conv2d_shape& s) noexcept {
  const bool fits = s.kernel == 3 && s.stride == 1 && s.before == 1 && s.after == 1 && s.height >= 4 && s.width >= 4;
  const index tiles = (s.height + 3) / 4 * ((s.width + 3) / 4);
  return fits && !s.same_everywhere && s.in >= 32 && s.out >= 32 && (tiles >= 9 || s.in * s.out <= 16384);
}

namespace detail {

/// Bᵀ d for six vectors, in place.
template <class V>
ANODIFF_ALWAYS_INLINE void winograd_input(V& d0, V& d1, V& d2, V& d3, V& d4, V& d5) noexcept {
  const V even = d4 - 4 * d2, odd = d3 - 4 * d1, outer = d4 - d2, inner = 2 * (d3 - d1);
  const V first = 4 * d0 - 5 * d2 + d4, last = 4 * d1 - 5 * d3 + d5;
  d0 = first;
  d1 = even + odd;
  d2 = even - odd;
  d3 = outer + inner;
  d4 = outer - inner;
  d5 = last;
}

/// Aᵀ m for six vectors, to four.
template <class V>
ANODIFF_ALWAYS_INLINE void winograd_output(const V& m0, const V& m1, const V& m2, const V& m3, const V& m4, const V& m5,
                                           V& y0, V& y1, V& y2, V& y3) noexcept {
  const V sum_1 = m1 + m2, apart_1 = m1 - m2, sum_2 = m3 + m4, apart_2 = m3 - m4;
  y0 = m0 + sum_1 + sum_2;
  y1 = apart_1 + 2 * apart_2;
  y2 = sum_1 + 4 * sum_2;
  y3 = apart_1 + 8 * apart_2 + m5;
}

/// G g for three vectors, to six.
template <class V>
ANODIFF_ALWAYS_INLINE void winograd_weight(const V& g0, const V& g1, const V& g2, V (&u)[6]) noexcept {
  using T = simd::element<V>;
  const V outer = (g0 + g2) * T(-1.0 / 6), middle = g1 * T(1.0 / 6);
  const V near = g0 * T(1.0 / 24) + g2 * T(1.0 / 6), far = g1 * T(1.0 / 12);
  u[0] = g0 * T(0.25);
  u[1] = outer - middle;
  u[2] = outer + middle;
  u[3] = near + far;
  u[4] = near - far;
  u[5] = g2;
}

/// A piece of the weights, transformed point by point: to[point · point_stride + i · row_stride + o] for `rows` input
/// and `columns` output channels. With `flipped`, of the taps in reverse.
template <class T>
void transform_weights(const T* weight, index in, index out, index first_in, index rows, index first_out, index columns,
                       bool flipped, T* to, index point_stride, index row_stride) noexcept {
  using V = simd::vec<T>;
  for (index i = 0; i < rows; ++i)
    for_each_lanes<T>(columns, [&](index j, auto lanes) {
      const auto tap = [&](index t) -> V {
        return lanes.load(weight + ((flipped ? 8 - t : t) * in + first_in + i) * out + first_out + j);
      };
      V half[3][6];  // G g, by column of g
      for (index q = 0; q < 3; ++q) winograd_weight<V>(tap(q), tap(3 + q), tap(6 + q), half[q]);
      for (index p = 0; p < 6; ++p) {
        V whole[6];
        winograd_weight<V>(half[0][p], half[1][p], half[2][p], whole);
        for (index q = 0; q < 6; ++q) lanes.store(to + (p * 6 + q) * point_stride + i * row_stride + j, whole[q]);
      }
    });
}

/// How the weights are cut where they are transformed and packed on the way.
template <class T>
struct winograd_cut {
  static constexpr index in = 32, out = 64;
  static constexpr index elements = winograd_points * in * out;
};

}  // namespace detail

/// The weights (9 · in, out) as (36 · in, out), for packed_matrix.
template <class T>
void winograd_weights(const T* weight, index in, index out, T* to) noexcept {
  detail::transform_weights(weight, in, out, 0, in, 0, out, false, to, in * out, out);
}

/// Packs the transformed weights in panels of 36 · in rows; with `back`, those of the gradient, of 36 · out rows.
/// scratch holds winograd_cut::elements for each thread.
template <class T>
void pack_winograd(const T* weight, index in, index out, bool back, T* packed, thread_pool& pool, T* scratch) {
  using cut = detail::winograd_cut<T>;
  constexpr index width = tile_size<T>::columns;
  const index ins = (in + cut::in - 1) / cut::in, outs = (out + cut::out - 1) / cut::out;
  const index depth = back ? out : in;
  run_with_scratch(pool, ins * outs, scratch, cut::elements, [&](index job, T* piece) {
    const index i0 = job % ins * cut::in, o0 = job / ins * cut::out;
    const index rows = std::min(cut::in, in - i0), columns = std::min(cut::out, out - o0);
    detail::transform_weights(weight, in, out, i0, rows, o0, columns, back, piece, cut::in * cut::out, cut::out);
    const index first = back ? i0 : o0, across = back ? rows : columns, k0 = back ? o0 : i0;
    for (index point = 0; point < winograd_points; ++point) {
      const T* from = piece + point * cut::in * cut::out;
      const matrix<T> b = back ? matrix<T>{from, 1, cut::out} : matrix<T>{from, cut::out, 1};
      for (index n0 = 0; n0 < across; n0 += width)
        pack_panel(b, across, n0, 0, back ? columns : rows,
                   packed + ((first + n0) * winograd_points * depth) + (point * depth + k0) * width);
    }
  });
}

/// The tiles of the pictures, and how many of them a thread works on at once.
struct winograd_tiles {
  index down, across, block, input, elements;

  template <class T>
  explicit winograd_tiles(const windowed<T>& from) : down{(from.out_height + 3) / 4}, across{(from.out_width + 3) / 4} {
    constexpr index most = 262144, rows = tile_size<T>::rows;
    block = std::clamp<index>(most / (winograd_points * from.channels) / rows * rows, rows, 4 * rows);
    input = winograd_points * block * from.channels;
    const index line = (from.channels + 15) / 16 * 16;  // of zeros, for what lies outside the picture
    elements = (input + winograd_points * block * tile_size<T>::columns + line + 15) / 16 * 16;
  }
};

/// As multiply_windows, for windows of 3 by 3: panel(p) gives panel p of the transformed weights (36 · channels, out).
template <class T, class Panel, class Finish>
void multiply_winograd(const windowed<T>& from, index n, index out, Panel&& panel, thread_pool& pool, T* scratch,
                       Finish&& finish) {
  using V = simd::vec<T>;
  using size = tile_size<T>;
  constexpr index lanes = simd::lanes<T>;
  const winograd_tiles tiles{from};
  const index in_picture = tiles.down * tiles.across, all = n * in_picture;
  const index blocks = (all + tiles.block - 1) / tiles.block, panels = (out + size::columns - 1) / size::columns;
  const index wanted = pool.threads() == 1 ? 1 : 2 * pool.threads();
  const index groups = blocks >= wanted ? 1 : std::min(panels, (wanted + blocks - 1) / std::max<index>(1, blocks));
  run_with_scratch(pool, blocks * groups, scratch, tiles.elements, [&](index job, T* memory) {
    const index group = job % groups, first = job / groups * tiles.block, count = std::min(tiles.block, all - first);
    T* const input = memory;                   // (36, count, channels)
    T* const products = memory + tiles.input;  // (36, count, a panel)
    T* const nothing = products + winograd_points * tiles.block * size::columns;
    std::fill(nothing, nothing + from.channels, T{0});
    for (index t = 0; t < count; ++t) {
      const index picture = (first + t) / in_picture, tile = (first + t) % in_picture;
      const T* pixel[winograd_points];
      for (index p = 0; p < 6; ++p)
        for (index q = 0; q < 6; ++q) {
          const index i = tile / tiles.across * 4 + p - 1, j = tile % tiles.across * 4 + q - 1;
          const bool inside = i >= 0 && i < from.height && j >= 0 && j < from.width;
          pixel[p * 6 + q] = inside ? from.x + ((picture * from.height + i) * from.width + j) * from.channels : nothing;
        }
      for_each_lanes<T>(from.channels, [&](index c, auto part) {
        V d[winograd_points];
        unrolled<6>([&](auto q) {
          unrolled<6>([&](auto p) { d[p * 6 + q] = part.load(pixel[p * 6 + q] + c); });
          detail::winograd_input(d[q], d[6 + q], d[12 + q], d[18 + q], d[24 + q], d[30 + q]);
        });
        unrolled<6>([&](auto p) {
          V* row = d + p * 6;
          detail::winograd_input(row[0], row[1], row[2], row[3], row[4], row[5]);
          unrolled<6>([&](auto q) { part.store(input + ((p * 6 + q) * count + t) * from.channels + c, row[q]); });
        });
      });
    }
    const inner_walk walk{.depth = from.channels, .b_step = size::columns};
    for (index p = panels * group / groups; p < panels * (group + 1) / groups; ++p) {
      const index n0 = p * size::columns;
      const index real = std::min<index>(size::columns, out - n0);
      for (index point = 0; point < winograd_points; ++point)
        for_each_tile<T>(count, false, [&](index t, index rows) {
          window_tile_for<T>(rows, false)(input + (point * count + t) * from.channels,
                                          panel(p) + point * from.channels * size::columns, walk, from.channels,
                                          products + (point * count + t) * size::columns, false);
        });
      for (index t = 0; t < count; ++t) {
        alignas(tensor_alignment) T result[16 * size::columns];
        for (index v = 0; v < size::columns; v += lanes) {
          V half[4][6], m[6];
          unrolled<6>([&](auto q) {
            unrolled<6>(
                [&](auto k) { m[k] = simd::load<V>(products + ((k * 6 + q) * count + t) * size::columns + v); });
            detail::winograd_output(m[0], m[1], m[2], m[3], m[4], m[5], half[0][q], half[1][q], half[2][q], half[3][q]);
          });
          unrolled<4>([&](auto k) {
            V y[4];
            detail::winograd_output(half[k][0], half[k][1], half[k][2], half[k][3], half[k][4], half[k][5], y[0], y[1],
                                    y[2], y[3]);
            unrolled<4>([&](auto q) { simd::store(result + (k * 4 + q) * size::columns + v, y[q]); });
          });
        }
        const index picture = (first + t) / in_picture, tile = (first + t) % in_picture;
        const index top = tile / tiles.across * 4, left = tile % tiles.across * 4;
        for (index i = 0; i < std::min<index>(4, from.out_height - top); ++i)
          finish(picture, (top + i) * from.out_width + left, std::min<index>(4, from.out_width - left), n0,
                 result + i * 4 * size::columns, index{size::columns}, real);
      }
    }
  });
}

}  // namespace anodiff::ops::cpu
