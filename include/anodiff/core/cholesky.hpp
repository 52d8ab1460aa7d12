// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/shape.hpp>
#include <cmath>

/// Symmetric positive definite matrices of a few hundred rows at most, row by row, by A = L Lᵀ (Golub & Van Loan 2013,
/// algorithm 4.2.1). Nothing is checked: a matrix that is not positive definite gives values that are not finite,
/// unless its pivots are held above zero.
namespace anodiff::cholesky {

/// The lower triangle of A (n, n) becomes L, no pivot below `least`; what is above is neither read nor written. Gives
/// log det A.
inline double factor(double* a, index n, double least = 0) noexcept {
  double log_determinant = 0;
  for (index c = 0; c < n; ++c) {
    double pivot = a[c * n + c];
    for (index e = 0; e < c; ++e) pivot -= a[c * n + e] * a[c * n + e];
    pivot = std::max(pivot, least);
    log_determinant += std::log(pivot);
    const double root = std::sqrt(pivot);
    a[c * n + c] = root;
    for (index r = c + 1; r < n; ++r) {
      double sum = a[r * n + c];
      for (index e = 0; e < c; ++e) sum -= a[r * n + e] * a[c * n + e];
      a[r * n + c] = sum / root;
    }
  }
  return log_determinant;
}
/// b (n) becomes the solution of L Lᵀ y = b.
inline void solve(const double* l, index n, double* b) noexcept {
  for (index r = 0; r < n; ++r) {
    for (index e = 0; e < r; ++e) b[r] -= l[r * n + e] * b[e];
    b[r] /= l[r * n + r];
  }
  for (index r = n; r-- > 0;) {
    for (index e = r + 1; e < n; ++e) b[r] -= l[e * n + r] * b[e];
    b[r] /= l[r * n + r];
  }
}
/// The lower triangle of w (n, n) becomes L⁻¹, which takes a Gaussian of covariance L Lᵀ to one of covariance 1; what
/// is above is not written.
inline void invert(const double* l, index n, double* w) noexcept {
  for (index r = 0; r < n; ++r)
    for (index c = 0; c <= r; ++c) {
      double rest = r == c ? 1 : 0;
      for (index e = c; e < r; ++e) rest -= l[r * n + e] * w[e * n + c];
      w[r * n + c] = rest / l[r * n + r];
    }
}

}  // namespace anodiff::cholesky
