// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/kernel_energy.hpp>
#include <anodiff/ops/matmul_cpu.hpp>
#include <bit>

namespace anodiff::ops::cpu {

namespace detail {

/// Queries whose distances are computed together; a block is filled up with copies of its last query, so that a query
/// takes the same path wherever it stands.
inline constexpr int energy_rows = 4;
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
/// far is 1, and older sums shrink when a nearer reference is found. `sum` (row_size) is scratch, or null.
template <class T>
struct running_energy {
  T least = std::numeric_limits<T>::infinity();
  double total = 0;

  template <class Op>
  void add(const Op& op, const T* x, T* ANODIFF_RESTRICT distance, index first, index count, T factor,
           double* ANODIFF_RESTRICT sum) noexcept {
    using V = simd::vec<T>;
    constexpr int width = simd::lanes<T>;
    V lowest = simd::broadcast<V>(std::numeric_limits<T>::infinity());
    for (index k = 0; k < count; k += width) lowest = simd::min(lowest, simd::load<V>(distance + k));
    T nearest = lowest[0];
    for (int i = 1; i < width; ++i) nearest = std::min(nearest, lowest[i]);
    if (nearest < least) {
      const double shrink = least < std::numeric_limits<T>::infinity()
                                ? std::exp(static_cast<double>(nearest - least) * static_cast<double>(factor))
                                : 0;
      total *= shrink;
      if (sum != nullptr)
        for (index j = 0; j < op.row_size; ++j) sum[j] *= shrink;
      least = nearest;
    }
    if (!(least < std::numeric_limits<T>::infinity())) return;
    const T limit = least + static_cast<T>(kernel_energy_reach) / factor;
    V weights{};
    for (index k = 0; k < count; k += width) {
      const V d = simd::load<V>(distance + k);
      const V w = d <= limit ? simd::exp<V>((least - d) * factor) : V{};
      weights += w;
      simd::store(distance + k, w);
    }
    total += static_cast<double>(simd::sum<V>(weights));
    if (sum == nullptr) return;
    const T* near[energy_stretch];  // the references that count
    index kept = 0;
    for (index k = 0; k < count; ++k) {
      near[kept] = op.reference + (first + k) * op.row_size;
      distance[kept] = distance[k];
      kept += distance[k] != 0 ? 1 : 0;
    }
    for_each_lanes_by<T, 4>(op.row_size, [&](index j, auto lanes, auto vectors) {
      V squares[vectors.value];
      unrolled<vectors.value>([&](auto v) { squares[v] = V{}; });
      for (index k = 0; k < kept; ++k) {
        const V w = lanes.broadcast(distance[k]);
        unrolled<vectors.value>([&](auto v) {
          const V e = lanes.load(x + j + v * width) - lanes.load(near[k] + j + v * width);
          squares[v] += w * (e * e);
        });
      }
      unrolled<vectors.value>([&](auto v) {
        for (int i = 0; i < width && j + v * width + i < op.row_size; ++i)
          sum[j + v * width + i] += static_cast<double>(squares[v][i]);
      });
    });
  }
};

}  // namespace detail

template <class T>
void run(const kernel_energy<T, const packed_matrix<T>*>& op, thread_pool& pool) {
  constexpr index block = detail::energy_rows, stretch = detail::energy_stretch, columns = tile_size<T>::columns;
  static_assert(stretch % columns == 0);
  const T factor = static_cast<T>(1 / (2 * op.sigma * op.sigma));
  parallel_for(pool, op.rows, block, [&](index first, index last) {
    alignas(tensor_alignment) T distance[block][stretch];
    const T* x[block];
    detail::running_energy<T> of[block];
    for (index i = 0; i < block; ++i) x[i] = op.x + std::min(first + i, last - 1) * op.row_size;
    if (op.spread != nullptr) std::fill(op.spread + first * op.row_size, op.spread + last * op.row_size, 0.0);
    for (index begin = 0; begin < op.count; begin += stretch) {
      const index count = std::min(stretch, op.count - begin), padded = (count + columns - 1) / columns * columns;
      for (index k = 0; k < padded; k += columns)
        detail::panel_distances<T>(x, op.packed->panel((begin + k) / columns), op.row_size, distance[0] + k, stretch);
      for (index i = first; i < last; ++i) {
        T* d = distance[i - first];
        std::fill(d + count, d + padded, std::numeric_limits<T>::infinity());
        if (op.exclude != nullptr && op.exclude[i] >= begin && op.exclude[i] < begin + count)
          d[op.exclude[i] - begin] = std::numeric_limits<T>::infinity();
        of[i - first].add(op, x[i - first], d, begin, padded, factor,
                          op.spread == nullptr ? nullptr : op.spread + i * op.row_size);
      }
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
