// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/matmul_cpu.hpp>
#include <anodiff/ops/worker_scratch_cpu.hpp>
#include <array>
#include <utility>

/// Products with a window that moves over channels-last pictures. In a padded copy of the picture, what a window reads
/// in one of its rows lies side by side, so that the matrix of all windows is never built: it is a strided view. The
/// copy is made patch by patch, small enough to stay in the cache. Each result is one chain of multiply-adds in a fixed
/// order: it does not depend on the patch, the tile, the batch or the threads.
namespace anodiff::ops::cpu {

/// How a product's inner dimension runs through its two operands, in three nested loops.
struct inner_walk {
  index outer = 1, a_outer = 0, b_outer = 0;
  index middle = 1, a_middle = 0, b_middle = 0;
  index depth = 1, a_step = 1, b_step = 1;
};

template <class T>
struct window_tile_size {
  static constexpr int lanes = simd::lanes<T>;
  static constexpr int rows = tile_size<T>::rows;  ///< beside a panel of two vectors
  static constexpr int narrow_rows = 2 * rows;     ///< beside one vector
};

/// Hides from the compiler how a pointer came about, so that it stays one.
template <class P>
ANODIFF_ALWAYS_INLINE void keep_apart(P*& p) noexcept {
  asm("" : "+r"(p));
}

/// sums[r][:] (+)= Σ a(r, k) b(k, :) for Rows rows that lie row_stride apart, and Vectors vectors; k walks as w says.
template <class T, int Rows, int Vectors>
void window_tile(const T* ANODIFF_RESTRICT a, const T* ANODIFF_RESTRICT b, const inner_walk& w, index row_stride,
                 T* ANODIFF_RESTRICT sums, bool add) noexcept {
  using V = simd::vec<T>;
  constexpr int lanes = simd::lanes<T>;
  V c[Rows][Vectors];  // indexed by constants only, so that -O2 keeps it in registers too
  const auto each_sum = [&](auto&& f) {
    unrolled<Rows>([&](auto r) { unrolled<Vectors>([&](auto v) { f(r, v, sums + (r * Vectors + v) * lanes); }); });
  };
  each_sum([&](auto r, auto v, const T* at) { c[r][v] = add ? simd::load<V>(at) : V{}; });
  constexpr int group = Rows % 8 == 0 ? 8 : 6, groups = (Rows + group - 1) / group;
  for (index i = 0; i < w.outer; ++i)
    for (index j = 0; j < w.middle; ++j) {
      const T* right = b + i * w.b_outer + j * w.b_middle;
      const T* left[groups];  // a pointer for each few rows: their distances then fit the registers
      unrolled<groups>([&](auto g) {
        left[g] = a + i * w.a_outer + j * w.a_middle + g * group * row_stride;
        keep_apart(left[g]);
      });
      for (index k = 0; k < w.depth; ++k, right += w.b_step) {
        V column[Vectors];
        unrolled<Vectors>([&](auto v) { column[v] = simd::load<V>(right + v * lanes); });
        unrolled<Rows>([&](auto r) {
          const V x = simd::broadcast<V>(left[r / group][r % group * row_stride]);
          unrolled<Vectors>([&](auto v) { c[r][v] += x * column[v]; });
        });
        unrolled<groups>([&](auto g) { left[g] += w.a_step; });
      }
    }
  each_sum([&](auto r, auto v, T* at) { simd::store(at, c[r][v]); });
}

template <class T>
using window_function = void (*)(const T*, const T*, const inner_walk&, index, T*, bool);

/// The kernel for 1 … tile_size::rows rows, or for narrow_rows of them beside one vector.
template <class T>
[[nodiscard]] inline window_function<T> window_tile_for(index rows, bool narrow) noexcept {
  using size = window_tile_size<T>;
  static constexpr auto table = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<std::array<window_function<T>, 2>, sizeof...(I)>{
        {{&window_tile<T, static_cast<int>(I) + 1, 2>, &window_tile<T, static_cast<int>(I) + 1, 1>}...}};
  }
  (std::make_index_sequence<size::rows>{});
  if (rows == size::narrow_rows) return &window_tile<T, size::narrow_rows, 1>;
  return table[static_cast<std::size_t>(rows - 1)][narrow ? 1 : 0];
}

/// Cuts [0, rows) into pieces that window_tile_for has a kernel for, and calls f(first, count).
template <class T, class F>
ANODIFF_ALWAYS_INLINE void for_each_tile(index rows, bool narrow, F&& f) noexcept {
  using size = window_tile_size<T>;
  index i = 0;
  if (narrow)
    for (; i + size::narrow_rows <= rows; i += size::narrow_rows) f(i, index{size::narrow_rows});
  const index rest = rows - i;
  const index pieces = (rest + size::rows - 1) / size::rows;  // even pieces: a short one wastes the most
  for (index p = 0; p < pieces; ++p) {
    const index first = rest * p / pieces, last = rest * (p + 1) / pieces;
    f(i + first, last - first);
  }
}

/// Pictures under a window. With spread > 1 there are spread − 1 zeros between neighbouring pixels.
template <class T>
struct windowed {
  const T* x;  ///< (n, height, width, channels)
  index height, width, channels;
  index kernel, stride, before;
  index out_height, out_width;
  index spread = 1;

  /// Side of the padded copy under `count` neighbouring windows.
  [[nodiscard]] index reach(index count) const noexcept { return (count - 1) * stride + kernel; }
  /// Copies what `rows` by `columns` windows from (row, column) on read: (reach(rows), reach(columns), channels).
  void copy(index picture, index row, index column, index rows, index columns, T* to) const noexcept {
    const index first = column * stride - before, count = reach(columns);
    for (index i = row * stride - before, end = i + reach(rows); i < end; ++i, to += count * channels)
      copy_row(picture, i, first, count, to);
  }
  void copy_row(index picture, index row, index first, index count, T* to) const noexcept {
    if (row < 0 || row >= (height - 1) * spread + 1 || row % spread != 0) {
      std::fill(to, to + count * channels, T{0});
      return;
    }
    const T* from = x + (picture * height + row / spread) * width * channels;
    if (spread == 1) {
      const index left = std::clamp<index>(-first, 0, count), right = std::clamp<index>(width - first, left, count);
      std::fill(to, to + left * channels, T{0});
      std::copy(from + (first + left) * channels, from + (first + right) * channels, to + left * channels);
      std::fill(to + right * channels, to + count * channels, T{0});
      return;
    }
    for (index j = 0; j < count; ++j, to += channels) {
      const index column = first + j;
      if (column >= 0 && column < (width - 1) * spread + 1 && column % spread == 0)
        std::copy_n(from + column / spread * channels, channels, to);
      else
        std::fill(to, to + channels, T{0});
    }
  }
};

/// The windows that one patch serves; chosen by the shape alone.
struct window_patch {
  index rows = 0, columns = 0, elements = 0;
  index down = 0, across = 0;  ///< patches in a picture

  template <class T>
  explicit window_patch(const windowed<T>& from) {
    constexpr index most = 32768;  // elements that leave the cache room for the weights
    const index widest = from.channels <= 256 ? 48 : 24;
    across = (from.out_width + widest - 1) / widest;
    columns = (from.out_width + across - 1) / across;
    across = (from.out_width + columns - 1) / columns;
    const index line = from.reach(columns) * from.channels;
    rows = std::clamp<index>((most / line - from.kernel) / from.stride + 1, 1, from.out_height);
    down = (from.out_height + rows - 1) / rows;
    rows = (from.out_height + down - 1) / down;
    down = (from.out_height + rows - 1) / rows;
    elements = (from.reach(rows) * line + 15) / 16 * 16;
  }
};

/// y = W under each window of n pictures: panel(p) gives panel p of the packed weights (kernel · kernel · channels,
/// out), finish(picture, first pixel, pixels, column, sums, stride, count) takes `count` finished channels of some
/// neighbouring pixels, which lie `stride` apart in sums. scratch holds window_patch::elements for each thread.
template <class T, class Panel, class Finish>
void multiply_windows(const windowed<T>& from, index n, index out, Panel&& panel, thread_pool& pool, T* scratch,
                      Finish&& finish) {
  using size = tile_size<T>;
  constexpr index lanes = simd::lanes<T>;
  const window_patch patch{from};
  const index patches = n * patch.down * patch.across, panels = (out + size::columns - 1) / size::columns;
  const index wanted = 4 * pool.threads();  // jobs; with few patches their panels are shared out
  const index groups = patches >= wanted ? 1 : std::min(panels, (wanted + patches - 1) / std::max<index>(1, patches));
  const index jobs = patches * groups;
  run_with_scratch(pool, jobs, scratch, patch.elements, [&](index job, T* copy) {
    alignas(tensor_alignment) T sums[static_cast<std::size_t>(size::rows) * size::columns];
    const index group = job % groups, place = job / groups;
    const index picture = place / (patch.down * patch.across), tile = place % (patch.down * patch.across);
    const index row = tile / patch.across * patch.rows, column = tile % patch.across * patch.columns;
    const index rows = std::min(patch.rows, from.out_height - row);
    const index columns = std::min(patch.columns, from.out_width - column);
    from.copy(picture, row, column, rows, columns, copy);
    const index line = from.reach(columns) * from.channels, depth = from.kernel * from.channels;
    const inner_walk walk{.middle = from.kernel,
                          .a_middle = line,
                          .b_middle = depth * size::columns,
                          .depth = depth,
                          .b_step = size::columns};
    const index first = panels * group / groups, last = panels * (group + 1) / groups;
    for (index p = first; p < last; ++p) {
      const index n0 = p * size::columns;
      const auto count = static_cast<int>(std::min<index>(size::columns, out - n0));
      const bool narrow = count <= lanes;
      const index piece = narrow ? lanes : size::columns;
      for (index i = 0; i < rows; ++i)
        for_each_tile<T>(columns, narrow, [&](index j, index tile_rows) {
          window_tile_for<T>(tile_rows, narrow)(copy + i * from.stride * line + j * from.stride * from.channels,
                                                panel(p), walk, from.stride * from.channels, sums, false);
          const index pixel = (row + i) * from.out_width + column + j;
          finish(picture, pixel, tile_rows, n0, sums, piece, count);
        });
    }
  });
}
/// As multiply_windows, for windows of one pixel that visit each: nothing is copied.
template <class T, class Panel, class Finish>
void multiply_pixels(const windowed<T>& from, index n, index out, Panel&& panel, thread_pool& pool, Finish&& finish) {
  using size = tile_size<T>;
  constexpr index block = 16 * size::rows;
  const index pixels = from.height * from.width, panels = (out + size::columns - 1) / size::columns;
  const index blocks = (pixels + block - 1) / block;
  const inner_walk walk{.depth = from.channels, .b_step = size::columns};
  pool.run(n * blocks * panels, [&](index job) {
    alignas(tensor_alignment) T sums[static_cast<std::size_t>(size::rows) * size::columns];
    const index p = job % panels, picture = job / panels / blocks, first = job / panels % blocks * block;
    const index n0 = p * size::columns, count = std::min<index>(size::columns, out - n0);
    const bool narrow = count <= simd::lanes<T>;
    for_each_tile<T>(std::min(block, pixels - first), narrow, [&](index i, index rows) {
      window_tile_for<T>(rows, narrow)(from.x + (picture * pixels + first + i) * from.channels, panel(p), walk,
                                       from.channels, sums, false);
      finish(picture, first + i, rows, n0, sums, narrow ? index{simd::lanes<T>} : index{size::columns}, count);
    });
  });
}

/// Padded copies of whole pictures, or of bands of one where it is large, for sums over all of their pixels.
struct window_slab {
  index pictures = 0, rows = 0;  ///< pictures in a slab, and rows of windows; fewer than a picture's with 1 picture
  index left = 0, right = 0;     ///< elements of the padded copy, and of the right-hand side with whole vectors

  template <class T>
  window_slab(const windowed<T>& from, index n, index out) {
    constexpr index most = 262144;  // elements of both sides
    constexpr index lanes = simd::lanes<T>;
    const index line = from.reach(from.out_width) * from.channels;
    const index dy_line = from.out_width * ((out + lanes - 1) / lanes * lanes);
    const index whole = from.reach(from.out_height) * line + from.out_height * dy_line;
    pictures = std::clamp<index>(most / std::max<index>(1, whole), 1, std::max<index>(1, n));
    rows = whole <= most
               ? from.out_height
               : std::clamp<index>((most - from.kernel * line) / (from.stride * line + dy_line), 1, from.out_height);
    left = (pictures * from.reach(rows) * line + 15) / 16 * 16;
    right = pictures * rows * dy_line;
  }
};

/// target (kernel · kernel · channels, out) += Σ over windows of (what the window reads) ⊗ dy, in order.
template <class T>
void add_window_products(const windowed<T>& from, index n, const T* dy, index out, T* target, thread_pool& pool,
                         T* scratch) {
  using size = tile_size<T>;
  constexpr index lanes = simd::lanes<T>;
  const window_slab slab{from, n, out};
  const index line = from.reach(from.out_width) * from.channels, padded = (out + lanes - 1) / lanes * lanes;
  const index depth = from.kernel * from.channels, panels = (out + size::columns - 1) / size::columns;
  T* const copy = scratch;
  T* const wide = scratch + slab.left;
  for (index first = 0; first < n; first += slab.pictures)
    for (index row = 0; row < from.out_height; row += slab.rows) {
      const index pictures = std::min(slab.pictures, n - first), rows = std::min(slab.rows, from.out_height - row);
      const index lines = from.reach(rows);
      parallel_for(pool, pictures * lines, 8, [&](index begin, index end) {
        for (index i = begin; i < end; ++i)
          from.copy_row(first + i / lines, row * from.stride - from.before + i % lines, -from.before,
                        from.reach(from.out_width), copy + i * line);
      });
      const T* right = dy + (first * from.out_height + row) * from.out_width * out;
      if (padded != out) {
        parallel_for(pool, pictures * rows * from.out_width, 1024, [&](index begin, index end) {
          for (index i = begin; i < end; ++i) {
            const index picture = i / (rows * from.out_width), within = i % (rows * from.out_width);
            T* to = wide + i * padded;
            std::copy_n(right + (picture * from.out_height * from.out_width + within) * out, out, to);
            std::fill(to + out, to + padded, T{0});
          }
        });
        right = wide;
      }
      const inner_walk walk{.outer = pictures,
                            .a_outer = lines * line,
                            .b_outer = (padded != out ? rows : from.out_height) * from.out_width * padded,
                            .middle = rows,
                            .a_middle = from.stride * line,
                            .b_middle = from.out_width * padded,
                            .depth = from.out_width,
                            .a_step = from.stride * from.channels,
                            .b_step = padded};
      constexpr index step = size::rows * 2;  // rows of the target in a job
      const index pieces = (depth + step - 1) / step;
      pool.run(from.kernel * pieces * panels, [&](index job) {
        const index p = job % panels, piece = job / panels % pieces, tap_row = job / panels / pieces;
        const index n0 = p * size::columns, count = std::min<index>(size::columns, out - n0);
        const bool narrow = count <= lanes;
        const index across = narrow ? lanes : size::columns;
        alignas(tensor_alignment) T sums[static_cast<std::size_t>(size::rows) * size::columns];
        const index begin = piece * step, end = std::min(depth, begin + step);
        for_each_tile<T>(end - begin, narrow, [&](index r, index tile_rows) {
          T* to = target + (tap_row * depth + begin + r) * out + n0;
          for (index i = 0; i < tile_rows; ++i) {
            std::copy_n(to + i * out, count, sums + i * across);
            std::fill(sums + i * across + count, sums + (i + 1) * across, T{0});
          }
          window_tile_for<T>(tile_rows, narrow)(copy + tap_row * line + begin + r, right + n0, walk, 1, sums, true);
          for (index i = 0; i < tile_rows; ++i) std::copy_n(sums + i * across, count, to + i * out);
        });
      });
    }
}

}  // namespace anodiff::ops::cpu
