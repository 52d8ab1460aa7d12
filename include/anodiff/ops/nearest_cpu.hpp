// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/matmul_cpu.hpp>
#include <anodiff/ops/nearest.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// Bound on the relative rounding of ‖r‖² − 2 q·r in T, as a share of ‖q‖² + ‖r‖²: row_size + 1 products and sums, and
/// the rounding of the stored squares, doubled to be safe.
template <class T>
[[nodiscard]] constexpr double distance_margin(index row_size) noexcept {
  return 4 * static_cast<double>(row_size + 4) * static_cast<double>(std::numeric_limits<T>::epsilon());
}

}  // namespace detail

template <class T>
void run(const nearest<T, const packed_matrix<T>*>& op, thread_pool& pool) {
  constexpr index block = tile_size<T>::rows * 8;
  const double margin = detail::distance_margin<T>(op.row_size);
  parallel_for(pool, op.rows, block, [&](index first, index last) {
    double square[block], limit[block];  // a reference is out where its lower bound exceeds the limit
    for (index i = first; i < last; ++i) {
      std::fill_n(op.distance + i * op.k, op.k, std::numeric_limits<double>::infinity());
      std::fill_n(op.place + i * op.k, op.k, index{-1});
      double sum = 0;
      for (index j = 0; j < op.row_size; ++j) {
        const auto q = static_cast<double>(op.query[i * op.row_size + j]);
        sum += q * q;
      }
      square[i - first] = sum;
      limit[i - first] = std::numeric_limits<double>::infinity();
    }
    const matrix<T> queries{op.query + first * op.row_size, op.row_size, 1};
    multiply<T>(pool, last - first, queries, *op.product, [&](index row, index column, const T* sums, int count) {
      const index i = first + row;
      for (int c = 0; c < count; ++c) {
        const index r = column + c;
        const auto norm = static_cast<double>(op.square[r]);
        if (norm * (1 - margin) - 2 * static_cast<double>(sums[c]) > limit[row]) continue;
        if (op.exclude != nullptr && op.exclude[i] == r) continue;
        double* distances = op.distance + i * op.k;
        keep_nearest(distances, op.place + i * op.k, op.k,
                     squared_distance(op.query + i * op.row_size, op.reference + r * op.row_size, op.row_size), r);
        limit[row] = distances[op.k - 1] - square[row] * (1 - margin);
      }
    });
  });
}

}  // namespace anodiff::ops::cpu
