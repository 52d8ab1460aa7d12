// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>

namespace anodiff::ops {

/// y[i] = (sin(t_i f_0) … sin(t_i f_{h−1}), cos(t_i f_0) … cos(t_i f_{h−1})), h = width / 2, f_k = period^(−k / h): the
/// sinusoidal embedding of Vaswani et al. 2017, arXiv:1706.03762, section 3.5, with the halves side by side. Computed
/// in double, since t f runs over hundreds of turns.
template <class T>
struct time_features {
  const double* time;  ///< (levels)
  T* y;                ///< (levels, width)
  index levels;
  index width;  ///< even
  double period = 10000;
};

namespace reference {

template <class T>
void run(const time_features<T>& op) {
  const index half = op.width / 2;
  for (index i = 0; i < op.levels; ++i)
    for (index k = 0; k < half; ++k) {
      const double angle =
          op.time[i] * std::exp(-std::log(op.period) * static_cast<double>(k) / static_cast<double>(half));
      op.y[i * op.width + k] = static_cast<T>(std::sin(angle));
      op.y[i * op.width + half + k] = static_cast<T>(std::cos(angle));
    }
}

}  // namespace reference
}  // namespace anodiff::ops
