// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>

namespace anodiff::ops {

inline constexpr double layer_norm_epsilon = 1e-5;

/// y = (x − mean) / √(variance + 1e-5) gain + bias, row by row. Ba et al. 2016, arXiv:1607.06450. Sums in double.
template <class T>
struct layer_norm_forward {
  const T* x;                             ///< (rows, width)
  const T *gain, *bias;                   ///< (width)
  T* y;                                   ///< (rows, width); may be x
  T *mean = nullptr, *inverse = nullptr;  ///< (rows): mean and 1 / √(variance + ε), kept for the backward pass, or null
  index rows, width;
};

/// Gradients of layer_norm_forward. dgain and dbias are added to, the rows in order.
template <class T>
struct layer_norm_backward {
  const T *x, *dy;                       ///< (rows, width)
  const T* gain;                         ///< (width)
  const T *mean, *inverse;               ///< (rows)
  T *dgain = nullptr, *dbias = nullptr;  ///< (width), both or neither
  T* dx = nullptr;                       ///< (rows, width); may be dy, since it is written last
  bool accumulate = false;               ///< adds to dx
  index rows, width;
};

namespace reference {

/// One row; what the vectorised form is tested against.
template <class T>
void run(const layer_norm_forward<T>& op) {
  for (index i = 0; i < op.rows; ++i) {
    const T* x = op.x + i * op.width;
    double sum = 0, square = 0;
    for (index j = 0; j < op.width; ++j) sum += static_cast<double>(x[j]);
    const double mean = sum / static_cast<double>(op.width);
    for (index j = 0; j < op.width; ++j) {
      const double e = static_cast<double>(x[j]) - mean;
      square += e * e;
    }
    const double inverse = 1 / std::sqrt(square / static_cast<double>(op.width) + layer_norm_epsilon);
    if (op.mean != nullptr) op.mean[i] = static_cast<T>(mean);
    if (op.inverse != nullptr) op.inverse[i] = static_cast<T>(inverse);
    for (index j = 0; j < op.width; ++j)
      op.y[i * op.width + j] = static_cast<T>((static_cast<double>(x[j]) - mean) * inverse) * op.gain[j] + op.bias[j];
  }
}

template <class T>
void run(const layer_norm_backward<T>& op) {
  for (index i = 0; i < op.rows; ++i) {
    const T *x = op.x + i * op.width, *dy = op.dy + i * op.width;
    const T mean = op.mean[i], inverse = op.inverse[i];
    double sum = 0, product = 0;  // of dy gain, and of dy gain x̂
    for (index j = 0; j < op.width; ++j) {
      const T normed = (x[j] - mean) * inverse, slope = dy[j] * op.gain[j];
      sum += static_cast<double>(slope);
      product += static_cast<double>(slope) * static_cast<double>(normed);
      if (op.dgain != nullptr) {
        op.dgain[j] += dy[j] * normed;
        op.dbias[j] += dy[j];
      }
    }
    if (op.dx == nullptr) continue;
    const T average = static_cast<T>(sum / static_cast<double>(op.width));
    const T slant = static_cast<T>(product / static_cast<double>(op.width));
    for (index j = 0; j < op.width; ++j) {
      const T normed = (x[j] - mean) * inverse;
      T& dx = op.dx[i * op.width + j];
      const T value = (dy[j] * op.gain[j] - average - normed * slant) * inverse;
      dx = op.accumulate ? dx + value : value;
    }
  }
}

}  // namespace reference
}  // namespace anodiff::ops
