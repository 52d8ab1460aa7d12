// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/kernel_average.hpp>
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
      double square = 0;
      for (index j = 0; j < op.row_size; ++j) {
        const double e = static_cast<double>(x[j]) - alpha * static_cast<double>(r[j]);
        square += e * e;
      }
      const double value = first + k == out ? std::numeric_limits<double>::infinity() : square * factor;
      energy[static_cast<std::size_t>(k)] = value;
      lowest = std::min(lowest, value);
    }
    if (lowest < least) {
      const double shrink = std::exp(lowest - least);
      total *= shrink;
      for (index j = 0; j < op.row_size; ++j) sum[j] *= shrink;
      least = lowest;
    }
    constexpr double negligible = 45;  // e^-45 is below the rounding of the sum
    for (index k = 0; k < count; ++k) {
      if (energy[static_cast<std::size_t>(k)] > least + negligible) continue;
      const double w = std::exp(least - energy[static_cast<std::size_t>(k)]);
      total += w;
      const T* r = op.reference + (first + k) * op.row_size;
      for (index j = 0; j < op.row_size; ++j) sum[j] += w * static_cast<double>(r[j]);
    }
  }
  for (index j = 0; j < op.row_size; ++j) op.clean[i * op.row_size + j] = static_cast<T>(sum[j] / total);
  if (op.log_sum != nullptr) op.log_sum[i] = std::log(total) - least;
}

}  // namespace detail

template <class T>
void run(const kernel_average<T>& op, thread_pool& pool) {
  parallel_for(pool, op.rows, 4, [&](index first, index last) {
    constexpr index on_stack = 512;
    std::array<double, on_stack> small;
    std::vector<double> large(op.row_size > on_stack ? static_cast<std::size_t>(op.row_size) : 0);
    for (index i = first; i < last; ++i) detail::average_row(op, i, large.empty() ? small.data() : large.data());
  });
}

}  // namespace anodiff::ops::cpu
