// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/cholesky.hpp>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/local_gaussian.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// One query; `centred` (k + 2, row_size) is scratch: the centred neighbours, the mean and the residual.
template <class T>
void local_gaussian_row(const local_gaussian<T>& op, index i, double* ANODIFF_RESTRICT centred) noexcept {
  const index d = op.row_size;
  const index* place = op.place + i * op.k;
  index k = 0;
  while (k < op.k && place[k] >= 0) ++k;
  const auto count = static_cast<double>(k);
  double* mean = centred + op.k * d;
  double* residual = mean + d;
  std::fill_n(mean, d, 0.0);
  for (index n = 0; n < k; ++n) {
    const T* r = op.reference + place[n] * d;
    for_each_lanes<double>(d, [&](index j, auto lanes) {
      const simd::vec<double> v = lanes.load(r + j);
      lanes.store(mean + j, lanes.load(mean + j) + v);
      lanes.store(centred + n * d + j, v);
    });
  }
  for_each_lanes<double>(d, [&](index j, auto lanes) {
    const simd::vec<double> m = lanes.load(mean + j) / count;
    lanes.store(mean + j, m);
    lanes.store(residual + j, lanes.load(op.x + i * d + j) - m);
    for (index n = 0; n < k; ++n) lanes.store(centred + n * d + j, lanes.load(centred + n * d + j) - m);
  });
  const auto product = [&](const double* a, const double* b) {
    return sum_lanes<double>(
        d, [&](index j, auto lanes) -> simd::vec<double> { return lanes.load(a + j) * lanes.load(b + j); });
  };
  double gram[local_gaussian_most * local_gaussian_most], weight[local_gaussian_most], trace = 0;
  for (index a = 0; a < k; ++a) {
    for (index b = 0; b <= a; ++b) gram[a * k + b] = product(centred + a * d, centred + b * d);
    trace += gram[a * k + a];
    weight[a] = product(centred + a * d, residual);
  }
  const double ridge = op.shrinkage * trace / count / static_cast<double>(d) + 1e-6;
  const double c = count * ridge / (1 - op.shrinkage);
  for (index a = 0; a < k; ++a) gram[a * k + a] += c;
  const double log_determinant =
      cholesky::factor(gram, k) - count * std::log(c) + static_cast<double>(d) * std::log(ridge);
  cholesky::solve(gram, k, weight);
  double* share = op.share + i * d;
  double* solved = mean;  // M⁻¹ r, in the place of the mean
  std::copy_n(residual, d, solved);
  for (index n = 0; n < k; ++n)
    for_each_lanes<double>(d, [&](index j, auto lanes) {
      lanes.store(solved + j, lanes.load(solved + j) - weight[n] * lanes.load(centred + n * d + j));
    });
  for_each_lanes<double>(d, [&](index j, auto lanes) {
    lanes.store(share + j, lanes.load(residual + j) * lanes.load(solved + j) / ridge);
  });
  op.value[i] = log_determinant + sum_lanes<double>(d, [&](index j, auto lanes) { return lanes.load(share + j); });
}

}  // namespace detail

template <class T>
void run(const local_gaussian<T>& op, thread_pool& pool) {
  parallel_for(pool, op.rows, local_gaussian_block, [&](index first, index last) {
    double* const centred = op.scratch + first / local_gaussian_block * (op.k + 2) * op.row_size;
    for (index i = first; i < last; ++i) detail::local_gaussian_row(op, i, centred);
  });
}

}  // namespace anodiff::ops::cpu
