// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace anodiff::ops {

/// Largest error of energy and of spread, as a share of the value (of 1 where it is smaller): distances are summed in
/// float from differences, so that no far-away origin takes digits from them.
inline constexpr double kernel_energy_bound = 4e-6;

/// References whose weight is below e^-20 of the largest are left out.
inline constexpr double kernel_energy_reach = 20;

/// The energy of a Gaussian kernel at each reference, and what it is made of, column by column:
/// energy = −log Σ_k exp(−‖x − r_k‖² / (2 sigma²)), spread_j = Σ_k w_k (x_j − r_kj)² with w the soft-max of the
/// exponents. energy = Σ_j spread_j / (2 sigma²) + Σ_k w_k log w_k. With no reference left both are infinite.
template <class T, class Weight = const T*>
struct kernel_energy {
  const T* x;                      ///< (rows, row_size)
  const T* reference;              ///< (count, row_size)
  Weight packed = nullptr;         ///< the references as (row_size, count) in the engine's packed form
  const index* exclude = nullptr;  ///< (rows): a reference to leave out, −1 = none; or null
  index rows, count, row_size;
  double sigma;              ///< above 0
  double* energy;            ///< (rows)
  double* spread = nullptr;  ///< (rows, row_size), or null
};

namespace reference {

template <class T, class Weight>
void run(const kernel_energy<T, Weight>& op) {
  std::vector<double> exponent(static_cast<std::size_t>(op.count));
  const auto square = [](double e) { return e * e; };
  const auto difference = [&](index i, index k, index j) {
    return static_cast<double>(op.x[i * op.row_size + j]) - static_cast<double>(op.reference[k * op.row_size + j]);
  };
  for (index i = 0; i < op.rows; ++i) {
    double least = std::numeric_limits<double>::infinity(), total = 0;
    for (index k = 0; k < op.count; ++k) {
      double sum = 0;
      for (index j = 0; j < op.row_size; ++j) sum += square(difference(i, k, j));
      const bool out = op.exclude != nullptr && op.exclude[i] == k;
      exponent[static_cast<std::size_t>(k)] =
          out ? std::numeric_limits<double>::infinity() : sum / (2 * square(op.sigma));
      least = std::min(least, exponent[static_cast<std::size_t>(k)]);
    }
    for (const double e : exponent) total += e < std::numeric_limits<double>::infinity() ? std::exp(least - e) : 0;
    op.energy[i] = least - std::log(total);
    if (op.spread == nullptr) continue;
    for (index j = 0; j < op.row_size; ++j) {
      double sum = 0;
      for (index k = 0; k < op.count; ++k)
        sum += std::exp(least - exponent[static_cast<std::size_t>(k)]) * square(difference(i, k, j));
      op.spread[i * op.row_size + j] = sum / total;
    }
  }
}

}  // namespace reference
}  // namespace anodiff::ops
