// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>
#include <vector>

namespace anodiff::ops {

/// Largest error of value and share, as a share of the value (of 1 where it is smaller).
inline constexpr double local_gaussian_bound = 1e-9;
/// Most neighbours of a query.
inline constexpr index local_gaussian_most = 64;
/// Rows that share one piece of scratch memory.
inline constexpr index local_gaussian_block = 16;

/// The negative log density, twice and but for a constant, of a Gaussian around each query's neighbours: mean μ of the
/// neighbours, covariance M = (1 − shrinkage) C + τ I with C their population covariance and τ = shrinkage tr(C)/d +
/// 1e-6; value = (x − μ)ᵀ M⁻¹ (x − μ) + log det M, share_j = (x − μ)_j (M⁻¹ (x − μ))_j. The d × d matrix is never made:
/// with Z the centred neighbours and c = kτ/(1 − shrinkage), M⁻¹ = (I − Zᵀ (Z Zᵀ + c I)⁻¹ Z) / τ, and
/// log det M = d log τ + log det (Z Zᵀ + c I) − k log c. A place below 0 ends a query's list.
template <class T>
struct local_gaussian {
  const T* x;          ///< (rows, row_size)
  const T* reference;  ///< (…, row_size)
  const index* place;  ///< (rows, k): each query's neighbours
  index rows, row_size, k;
  double shrinkage;           ///< in (0, 1)
  double* value;              ///< (rows)
  double* share;              ///< (rows, row_size)
  double* scratch = nullptr;  ///< (⌈rows / local_gaussian_block⌉, k + 2, row_size); the reference needs none
};

namespace reference {

template <class T>
void run(const local_gaussian<T>& op) {
  const auto d = static_cast<std::size_t>(op.row_size);
  for (index i = 0; i < op.rows; ++i) {
    const index* place = op.place + i * op.k;
    index k = 0;
    while (k < op.k && place[k] >= 0) ++k;
    const auto count = static_cast<double>(k);
    std::vector<double> mean(d), residual(d), solved(d), m(d * d);
    const auto at = [&](index n, std::size_t j) {
      return static_cast<double>(op.reference[place[n] * op.row_size + static_cast<index>(j)]);
    };
    for (std::size_t j = 0; j < d; ++j) {
      for (index n = 0; n < k; ++n) mean[j] += at(n, j) / count;
      residual[j] = static_cast<double>(op.x[i * op.row_size + static_cast<index>(j)]) - mean[j];
    }
    double trace = 0;
    for (std::size_t a = 0; a < d; ++a)
      for (std::size_t b = 0; b < d; ++b) {
        for (index n = 0; n < k; ++n) m[a * d + b] += (at(n, a) - mean[a]) * (at(n, b) - mean[b]) / count;
        if (a == b) trace += m[a * d + a];
        m[a * d + b] *= 1 - op.shrinkage;
      }
    const double ridge = op.shrinkage * trace / static_cast<double>(d) + 1e-6;
    for (std::size_t a = 0; a < d; ++a) m[a * d + a] += ridge;
    // Gauss without pivoting: M is positive definite
    double log_determinant = 0;
    solved = residual;
    for (std::size_t a = 0; a < d; ++a) {
      log_determinant += std::log(m[a * d + a]);
      for (std::size_t b = a + 1; b < d; ++b) {
        const double factor = m[b * d + a] / m[a * d + a];
        for (std::size_t c = a; c < d; ++c) m[b * d + c] -= factor * m[a * d + c];
        solved[b] -= factor * solved[a];
      }
    }
    for (std::size_t a = d; a-- > 0;) {
      for (std::size_t c = a + 1; c < d; ++c) solved[a] -= m[a * d + c] * solved[c];
      solved[a] /= m[a * d + a];
    }
    op.value[i] = log_determinant;
    for (std::size_t j = 0; j < d; ++j) {
      op.share[static_cast<std::size_t>(i) * d + j] = residual[j] * solved[j];
      op.value[i] += residual[j] * solved[j];
    }
  }
}

}  // namespace reference
}  // namespace anodiff::ops
