// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/kernel_average.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>
#include <array>

namespace anodiff::ops::cpu {

namespace detail {

/// One row by an online soft-max over blocks of references: the largest weight so far is 1, and older sums shrink when
/// a nearer reference is found (Milakov & Gimelshein 2018, arXiv:1805.02867). Memory does not grow with the references.
template <class T>
void average_row(const kernel_average<T>& op, index i, double* sum) noexcept {
  constexpr index block = 64;
  std::array<double, block> energy;
  const double alpha = op.alpha[op.level[i]], sigma = op.sigma[op.level[i]], factor = 1 / (2 * sigma * sigma);
  const T* x = op.x + i * op.row_size;
  const index out = op.exclude != nullptr ? op.exclude[i] : -1;
  double least = std::numeric_limits<double>::infinity(), total = 0;
  std::fill_n(sum, op.row_size, 0.0);
  for (index first = 0; first < op.count; first += block) {
    const index count = std::min(block, op.count - first);
    double lowest = std::numeric_limits<double>::infinity();
    for (index k = 0; k < count; ++k) {
      const T* r = op.reference + (first + k) * op.row_size;
      const double square = sum_lanes<double>(op.row_size, [&](index j, auto lanes) {
        const simd::vec<double> e = lanes.load(x + j) - alpha * lanes.load(r + j);
        return e * e;
      });
      energy[static_cast<std::size_t>(k)] = square * factor;
      if (first + k != out) lowest = std::min(lowest, square * factor);
    }
    if (lowest < least) {
      const double shrink = std::exp(lowest - least);
      total *= shrink;
      for (index j = 0; j < op.row_size; ++j) sum[j] *= shrink;
      least = lowest;
    }
    constexpr double negligible = 45;  // e^-45 is below the rounding of the sum
    for (index k = 0; k < count; ++k) {
      if (first + k == out || energy[static_cast<std::size_t>(k)] > least + negligible) continue;
      const double w = std::exp(least - energy[static_cast<std::size_t>(k)]);
      total += w;
      const T* r = op.reference + (first + k) * op.row_size;
      for_each_lanes<double>(
          op.row_size, [&](index j, auto lanes) { lanes.store(sum + j, lanes.load(sum + j) + w * lanes.load(r + j)); });
    }
  }
  for (index j = 0; j < op.row_size; ++j) op.clean[i * op.row_size + j] = static_cast<T>(sum[j] / total);
  if (op.log_sum != nullptr) op.log_sum[i] = std::log(total) - least;
}

}  // namespace detail

template <class T>
void run(const kernel_average<T>& op, thread_pool& pool) {
  parallel_for(pool, op.rows, 4, [&](index first, index last) {
    std::array<double, kernel_average_small> small;
    const bool fits = op.row_size <= kernel_average_small;
    std::vector<double> large(fits || op.sum != nullptr ? 0 : static_cast<std::size_t>(op.row_size));
    for (index i = first; i < last; ++i)
      detail::average_row(op, i, fits ? small.data() : op.sum != nullptr ? op.sum + i * op.row_size : large.data());
  });
}

}  // namespace anodiff::ops::cpu
