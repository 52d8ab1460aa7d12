// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/annotate.hpp>
#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// What an estimator of noise levels has learned of a row's: row_loss[i] = law.measure(outputs, share, sigma, …), and
/// gradient = d(mean_i row_loss[i]) / d output. Law is the objective that says how; see objectives/time_bins.hpp.
template <class T, class Law>
struct time_loss {
  Law law;
  const T* output;            ///< (rows, outputs)
  const double* share;        ///< (levels): place in the schedule, [0, 1)
  const T* sigma;             ///< (levels): standard deviation of the noise
  const std::int32_t* level;  ///< (rows)
  double* row_loss;           ///< (rows)
  T* gradient = nullptr;      ///< (rows, outputs); null where only the loss is wanted
  index rows, outputs, columns;

  /// Row i of it.
  ANODIFF_HD void run_row(index i) const {
    const std::int32_t at = level[i];
    row_loss[i] = law.measure(output + i * outputs, outputs, columns, share[at], static_cast<double>(sigma[at]),
                              1 / static_cast<double>(rows), gradient == nullptr ? nullptr : gradient + i * outputs);
  }
};

namespace reference {

template <class T, class Law>
void run(const time_loss<T, Law>& op) {
  for (index i = 0; i < op.rows; ++i) op.run_row(i);
}

}  // namespace reference
}  // namespace anodiff::ops
