// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace anodiff::ops {

/// Largest error of the clean estimate, in units of the references' largest element (float rounds once, at the end),
/// and of log_sum, in units of its magnitude above 1.
inline constexpr double kernel_average_bound = 1e-7, kernel_average_log_bound = 1e-12;

/// Up to this row size the CPU needs no scratch memory.
inline constexpr index kernel_average_small = 512;

/// The posterior mean over a finite set: w_k ∝ exp(−‖x − alpha r_k‖² / (2 sigma²)), clean = Σ w_k r_k and
/// log_sum = log Σ_k exp(−‖x − alpha r_k‖² / (2 sigma²)). Exact for data that is the set itself: Karras et al. 2022,
/// arXiv:2206.00364, appendix B.3.
/// With no reference left, clean is NaN and log_sum −infinity.
template <class T>
struct kernel_average {
  const T* x;                      ///< (rows, row_size): noised samples
  const std::int32_t* level;       ///< (rows)
  const double *alpha, *sigma;     ///< (levels); sigma > 0
  const T* reference;              ///< (count, row_size)
  const index* exclude = nullptr;  ///< (rows): a reference to leave out, −1 = none; or null
  T* clean;                        ///< (rows, row_size)
  double* log_sum = nullptr;       ///< (rows), or null
  index rows, count, row_size;
  double* sum = nullptr;  ///< scratch (rows, row_size); if null, the CPU allocates above kernel_average_small
};

namespace reference {

template <class T>
void run(const kernel_average<T>& op) {
  std::vector<double> energy(static_cast<std::size_t>(op.count)), sum(static_cast<std::size_t>(op.row_size));
  for (index i = 0; i < op.rows; ++i) {
    const double alpha = op.alpha[op.level[i]], sigma = op.sigma[op.level[i]];
    double least = std::numeric_limits<double>::infinity();
    for (index k = 0; k < op.count; ++k) {
      double square = 0;
      for (index j = 0; j < op.row_size; ++j) {
        const double e = static_cast<double>(op.x[i * op.row_size + j]) -
                         alpha * static_cast<double>(op.reference[k * op.row_size + j]);
        square += e * e;
      }
      energy[static_cast<std::size_t>(k)] = square / (2 * sigma * sigma);
      if (op.exclude == nullptr || op.exclude[i] != k) least = std::min(least, energy[static_cast<std::size_t>(k)]);
    }
    double total = 0;
    std::fill(sum.begin(), sum.end(), 0.0);
    for (index k = 0; k < op.count; ++k) {
      if (op.exclude != nullptr && op.exclude[i] == k) continue;
      const double w = std::exp(least - energy[static_cast<std::size_t>(k)]);
      total += w;
      for (index j = 0; j < op.row_size; ++j)
        sum[static_cast<std::size_t>(j)] += w * static_cast<double>(op.reference[k * op.row_size + j]);
    }
    for (index j = 0; j < op.row_size; ++j)
      op.clean[i * op.row_size + j] = static_cast<T>(sum[static_cast<std::size_t>(j)] / total);
    if (op.log_sum != nullptr) op.log_sum[i] = std::log(total) - least;
  }
}

}  // namespace reference
}  // namespace anodiff::ops
