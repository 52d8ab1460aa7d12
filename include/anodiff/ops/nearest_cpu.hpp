// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/matmul_cpu.hpp>
#include <anodiff/ops/nearest.hpp>
#include <array>
#include <cmath>
#include <cstring>

namespace anodiff::ops::cpu {

namespace detail {

/// Bound on the rounding of ‖r‖² − 2 q·r in T, as a share of ‖q‖² + ‖r‖²: half an epsilon for each of row_size products
/// and sums, for the stored squares and for the comparison; times eight, to be safe.
template <class T>
[[nodiscard]] constexpr double distance_margin(index row_size) noexcept {
  return 4 * static_cast<double>(row_size + 4) * static_cast<double>(std::numeric_limits<T>::epsilon());
}

template <class T>
[[nodiscard]] inline T rounded_up(double x) noexcept {
  constexpr auto most = std::numeric_limits<T>::max(), infinity = std::numeric_limits<T>::infinity();
  return x >= most ? infinity : std::nextafter(static_cast<T>(std::max<double>(x, -most)), infinity);
}

/// Marks those of a panel's references whose lower bounds norm (1 - margin) - 2 q·r do not lie beyond limit; true if
/// there are any. In T: the margin covers that rounding too. A norm out of the range of T says nothing.
template <class T, class Marks>
[[nodiscard]] ANODIFF_ALWAYS_INLINE bool mark_near(const T* norm, const T* products, T shrink, T limit,
                                                   Marks& marks) noexcept {
  using V = simd::vec<T>;
  using integers = decltype(V{} > V{});
  integers any{};
  for (int v = 0; v < tile_size<T>::vectors; ++v) {
    const V n = simd::load<V>(norm + v * simd::lanes<T>);
    const V bound = n * shrink - 2 * simd::load<V>(products + v * simd::lanes<T>);
    const integers near = ~((bound > limit) & (n <= std::numeric_limits<T>::max()));
    simd::store(marks.data() + v * simd::lanes<T>, near);
    any |= near;
  }
  std::uint64_t parts[sizeof(integers) / 8], some = 0;
  std::memcpy(parts, &any, sizeof any);
  for (const auto part : parts) some |= part;
  return some != 0;
}

}  // namespace detail

template <class T>
void run(const nearest<T, const packed_matrix<T>*>& op, thread_pool& pool) {
  constexpr index block = tile_size<T>::rows * 8;
  const double margin = detail::distance_margin<T>(op.row_size);
  const T shrink = static_cast<T>(1 - margin);
  const double underflow = 8 * static_cast<double>(op.row_size + 4) * std::numeric_limits<T>::min();
  parallel_for(pool, op.rows, block, [&](index first, index last) {
    double square[block];
    T limit[block];  // a reference is out where its lower bound exceeds the limit
    for (index i = first; i < last; ++i) {
      std::fill_n(op.distance + i * op.k, op.k, std::numeric_limits<double>::infinity());
      std::fill_n(op.place + i * op.k, op.k, index{-1});
      double sum = 0;
      for (index j = 0; j < op.row_size; ++j) {
        const auto q = static_cast<double>(op.query[i * op.row_size + j]);
        sum += q * q;
      }
      square[i - first] = sum;
      limit[i - first] = std::numeric_limits<T>::infinity();
    }
    const matrix<T> queries{op.query + first * op.row_size, op.row_size, 1};
    multiply<T>(pool, last - first, queries, *op.product, [&](index row, index column, const T* sums, int count) {
      std::array<simd::element<decltype(simd::vec<T>{} > simd::vec<T>{})>, tile_size<T>::columns> near;
      if (count < tile_size<T>::columns)
        near.fill(1);  // the norms end with the references: no whole vector may be read
      else if (!detail::mark_near(op.square + column, sums, shrink, limit[row], near))
        return;
      const index i = first + row;
      for (int c = 0; c < count; ++c) {
        const index r = column + c;
        const T norm = op.square[r];
        if (near[static_cast<std::size_t>(c)] == 0) continue;
        if (norm * shrink - 2 * sums[c] > limit[row] && norm <= std::numeric_limits<T>::max()) continue;
        if (op.exclude != nullptr && op.exclude[i] == r) continue;
        double* distances = op.distance + i * op.k;
        keep_nearest(distances, op.place + i * op.k, op.k,
                     squared_distance(op.query + i * op.row_size, op.reference + r * op.row_size, op.row_size), r);
        limit[row] = detail::rounded_up<T>(distances[op.k - 1] - square[row] * (1 - margin) + underflow);
      }
    });
  });
}

}  // namespace anodiff::ops::cpu
