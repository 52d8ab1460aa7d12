// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/kernel_energy.hpp>
#include <anodiff/ops/matmul_cpu.hpp>
#include <bit>

namespace anodiff::ops::cpu {

namespace detail {

/// Queries worked on side by side; a group is filled up with copies of its last query, so that a query takes the same
/// path wherever it stands.
inline constexpr int energy_rows = 4;
/// Queries that pass over a stretch of references while it lies in the nearest cache.
inline constexpr index energy_block = 16;
/// References between two looks at the running minimum.
inline constexpr index energy_stretch = 256;

/// Squared distances of energy_rows queries to one panel of references: Σ (x − r)², from differences.
template <class T>
ANODIFF_ALWAYS_INLINE void panel_distances(const T* const (&x)[energy_rows], const T* ANODIFF_RESTRICT panel,
                                           index depth, T* ANODIFF_RESTRICT out, index out_stride) noexcept {
  using V = simd::vec<T>;
  constexpr int vectors = tile_size<T>::vectors, width = simd::lanes<T>;
  V sum[energy_rows][vectors];
  const auto each = [](auto&& f) {
    unrolled<energy_rows>([&](auto r) { unrolled<vectors>([&](auto v) { f(r, v); }); });
  };
  each([&](auto r, auto v) { sum[r][v] = V{}; });
  for (index j = 0; j < depth; ++j, panel += tile_size<T>::columns)
    unrolled<energy_rows>([&](auto r) {
      const V q = simd::broadcast<V>(x[r][j]);
      unrolled<vectors>([&](auto v) {
        const V e = q - simd::load<V>(panel + v * width);
        sum[r][v] += e * e;
      });
    });
  each([&](auto r, auto v) { simd::store(out + r * out_stride + v * width, sum[r][v]); });
}

/// An online soft-max over stretches of references (Milakov & Gimelshein 2018, arXiv:1805.02867): the largest weight so
/// far is 1, and older sums shrink when a nearer reference is found.
template <class T>
struct running_energy {
  T least = std::numeric_limits<T>::infinity();
  double total = 0;

  /// The distances of a stretch become weights, and `sum` (row_size; or null) shrinks to their scale.
  void weigh(T* ANODIFF_RESTRICT distance, index count, T factor, double* sum, index row_size) noexcept {
    using V = simd::vec<T>;
    constexpr int width = simd::lanes<T>;
    V lowest = simd::broadcast<V>(std::numeric_limits<T>::infinity());
    for (index k = 0; k < count; k += width) lowest = simd::min(lowest, simd::load<V>(distance + k));
    const T nearest = simd::fold<V>(lowest, [](const auto& a, const auto& b) { return a < b ? a : b; });
    if (nearest < least) {
      const double shrink = least < std::numeric_limits<T>::infinity()
                                ? std::exp(static_cast<double>(nearest - least) * static_cast<double>(factor))
                                : 0;
      total *= shrink;
      if (sum != nullptr)
        for (index j = 0; j < row_size; ++j) sum[j] *= shrink;
      least = nearest;
    }
    const bool any = least < std::numeric_limits<T>::infinity();
    const T limit = any ? least + static_cast<T>(kernel_energy_reach) / factor : -std::numeric_limits<T>::infinity();
    V weights{};
    for (index k = 0; k < count; k += width) {
      const V d = simd::load<V>(distance + k);
      const V w = d <= limit ? simd::exp<V>((least - d) * factor) : V{};
      weights += w;
      simd::store(distance + k, w);
    }
    total += static_cast<double>(simd::sum<V>(weights));
  }
};

/// The references of a stretch that count for any query of a group; gives how many.
template <class T>
index counting_references(const T (*weight)[energy_stretch], index count, std::int32_t* near) noexcept {
  using V = simd::vec<T>;
  constexpr int width = simd::lanes<T>;
  index kept = 0;
  for (index k = 0; k < count; k += width) {
    V any = simd::load<V>(weight[0] + k);
    for (int r = 1; r < energy_rows; ++r) any += simd::load<V>(weight[r] + k);
    std::uint32_t bits = lane_bits(any != V{});
    if (bits == (std::uint32_t{1} << width) - 1) {  // as a rule all of them count, or few do
      for (int i = 0; i < width; ++i) near[kept + i] = static_cast<std::int32_t>(k) + i;
      kept += width;
      continue;
    }
    for (; bits != 0; bits &= bits - 1) near[kept++] = static_cast<std::int32_t>(k + std::countr_zero(bits));
  }
  return kept;
}

/// sum[r] (row_size) += Σ_k w_rk (x_r − r_k)² over a stretch of references, for a group of queries, of which `rows` are
/// real. A weight of 0 adds exactly nothing, so that a query's sum does not depend on the others.
template <class T>
void add_spread(const T* const (&x)[energy_rows], const T (*weight)[energy_stretch], const T* reference, index count,
                index row_size, double* sum, index rows) noexcept {
  using V = simd::vec<T>;
  constexpr int width = simd::lanes<T>;
  std::int32_t near[energy_stretch];
  const index kept = counting_references<T>(weight, count, near);
  for_each_lanes_by<T, 2>(row_size, [&](index j, auto lanes, auto vectors) {
    V squares[energy_rows][vectors.value], query[energy_rows][vectors.value];
    const auto each = [&](auto&& f) {
      unrolled<energy_rows>([&](auto r) { unrolled<vectors.value>([&](auto v) { f(r, v); }); });
    };
    each([&](auto r, auto v) {
      squares[r][v] = V{};
      query[r][v] = lanes.load(x[r] + j + v * width);
    });
    for (index n = 0; n < kept; ++n) {
      const T* from = reference + near[n] * row_size + j;
      V at[vectors.value];
      unrolled<vectors.value>([&](auto v) { at[v] = lanes.load(from + v * width); });
      unrolled<energy_rows>([&](auto r) {
        const V w = simd::broadcast<V>(weight[r][near[n]]);
        unrolled<vectors.value>([&](auto v) {
          const V e = query[r][v] - at[v];
          squares[r][v] += (w * e) * e;
        });
      });
    }
    each([&](auto r, auto v) {
      if (r >= rows) return;
      alignas(tensor_alignment) T found[width];
      simd::store(found, squares[r][v]);
      double* to = sum + r * row_size + j + v * width;
      if constexpr (std::is_same_v<decltype(lanes), whole_lanes<T>>)
        for (int i = 0; i < width; ++i) to[i] += static_cast<double>(found[i]);
      else
        for (int i = 0; i < lanes.count; ++i) to[i] += static_cast<double>(found[i]);
    });
  });
}

}  // namespace detail

template <class T>
void run(const kernel_energy<T, const packed_matrix<T>*>& op, thread_pool& pool) {
  constexpr int side = detail::energy_rows;
  constexpr index block = detail::energy_block, stretch = detail::energy_stretch, columns = tile_size<T>::columns;
  static_assert(stretch % columns == 0 && block % side == 0);
  const T factor = static_cast<T>(1 / (2 * op.sigma * op.sigma));
  parallel_for(pool, op.rows, block, [&](index first, index last) {
    alignas(tensor_alignment) T distance[block][stretch];
    detail::running_energy<T> of[block];
    const auto spread = [&](index i) { return op.spread == nullptr ? nullptr : op.spread + i * op.row_size; };
    const auto each_group = [&](auto&& f) {
      for (index group = first; group < last; group += side) {
        const T* x[side];
        for (index r = 0; r < side; ++r) x[r] = op.x + std::min(group + r, last - 1) * op.row_size;
        f(group, x);
      }
    };
    if (op.spread != nullptr) std::fill(spread(first), spread(last), 0.0);
    for (index begin = 0; begin < op.count; begin += stretch) {
      const index count = std::min(stretch, op.count - begin), padded = (count + columns - 1) / columns * columns;
      each_group([&](index group, const auto& x) {
        for (index k = 0; k < padded; k += columns)
          detail::panel_distances<T>(x, op.packed->panel((begin + k) / columns), op.row_size,
                                     distance[group - first] + k, stretch);
        for (index i = group; i < group + side; ++i) {
          T* d = distance[i - first];
          std::fill(d + count, d + padded, std::numeric_limits<T>::infinity());
          const index row = std::min(i, last - 1);
          if (op.exclude != nullptr && op.exclude[row] >= begin && op.exclude[row] < begin + count)
            d[op.exclude[row] - begin] = std::numeric_limits<T>::infinity();
          of[i - first].weigh(d, padded, factor, i < last ? spread(i) : nullptr, op.row_size);
        }
      });
      if (op.spread == nullptr) continue;
      each_group([&](index group, const auto& x) {
        detail::add_spread<T>(x, distance + (group - first), op.reference + begin * op.row_size, padded, op.row_size,
                              spread(group), std::min<index>(side, last - group));
      });
    }
    for (index i = first; i < last; ++i) {
      const auto& found = of[i - first];
      op.energy[i] = static_cast<double>(found.least) / (2 * op.sigma * op.sigma) - std::log(found.total);
      if (op.spread != nullptr)
        for (index j = 0; j < op.row_size; ++j) op.spread[i * op.row_size + j] /= found.total;
    }
  });
}

}  // namespace anodiff::ops::cpu
