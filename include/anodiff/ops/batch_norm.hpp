// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>

namespace anodiff::ops {

inline constexpr double batch_norm_epsilon = 1e-5;
/// Share of a batch in the moving statistics.
inline constexpr double batch_norm_momentum = 0.1;

/// y = (x − mean) / √(variance + 1e-5) gain + bias, column by column. Ioffe & Szegedy 2015, arXiv:1502.03167,
/// algorithms 1 and 2. In training a column's mean and variance are those of the batch, and the moving ones go a tenth
/// of the way to them, the variance as n / (n − 1) times the batch's; otherwise the moving ones count, and no row sees
/// another. Sums in double, the rows in order.
template <class T>
struct batch_norm_forward {
  const T* x;                        ///< (rows, width)
  const T *gain, *bias;              ///< (width)
  T *moving_mean, *moving_variance;  ///< (width); written in training alone
  T* y;                              ///< (rows, width)
  T *mean, *inverse;                 ///< (width): mean and 1 / √(variance + ε) that were used, for the backward pass
  index rows, width;
  bool training = false;
};

/// Gradients of batch_norm_forward. dgain and dbias are added to, the rows in order.
template <class T>
struct batch_norm_backward {
  const T *x, *dy;                       ///< (rows, width)
  const T* gain;                         ///< (width)
  const T *mean, *inverse;               ///< (width)
  T *dgain = nullptr, *dbias = nullptr;  ///< (width), both or neither
  T* dx = nullptr;                       ///< (rows, width), or null
  bool accumulate = false;               ///< adds to dx
  index rows, width;
  bool training = false;  ///< as the forward pass was
};

namespace reference {

template <class T>
void run(const batch_norm_forward<T>& op) {
  for (index j = 0; j < op.width; ++j) {
    auto mean = static_cast<double>(op.moving_mean[j]), variance = static_cast<double>(op.moving_variance[j]);
    if (op.training) {
      const auto n = static_cast<double>(op.rows);
      double sum = 0, square = 0;
      for (index i = 0; i < op.rows; ++i) sum += static_cast<double>(op.x[i * op.width + j]);
      mean = sum / n;
      for (index i = 0; i < op.rows; ++i) {
        const double e = static_cast<double>(op.x[i * op.width + j]) - mean;
        square += e * e;
      }
      variance = square / n;
      const auto move = [](T& moving, double to) {
        moving += static_cast<T>(batch_norm_momentum * (to - static_cast<double>(moving)));
      };
      move(op.moving_mean[j], mean);
      move(op.moving_variance[j], op.rows > 1 ? square / (n - 1) : 0);
    }
    op.mean[j] = static_cast<T>(mean);
    op.inverse[j] = static_cast<T>(1 / std::sqrt(variance + batch_norm_epsilon));
    for (index i = 0; i < op.rows; ++i)
      op.y[i * op.width + j] = (op.x[i * op.width + j] - op.mean[j]) * op.inverse[j] * op.gain[j] + op.bias[j];
  }
}

template <class T>
void run(const batch_norm_backward<T>& op) {
  for (index j = 0; j < op.width; ++j) {
    const T mean = op.mean[j], inverse = op.inverse[j];
    double sum = 0, product = 0;  // of dy, and of dy x̂
    for (index i = 0; i < op.rows; ++i) {
      const T dy = op.dy[i * op.width + j];
      sum += static_cast<double>(dy);
      product += static_cast<double>(dy) * static_cast<double>((op.x[i * op.width + j] - mean) * inverse);
    }
    if (op.dgain != nullptr) {
      op.dgain[j] += static_cast<T>(product);
      op.dbias[j] += static_cast<T>(sum);
    }
    if (op.dx == nullptr) continue;
    const auto n = static_cast<double>(op.rows);
    const T average = static_cast<T>(op.training ? sum / n : 0), slant = static_cast<T>(op.training ? product / n : 0);
    for (index i = 0; i < op.rows; ++i) {
      const index at = i * op.width + j;
      const T value = (op.dy[at] - average - (op.x[at] - mean) * inverse * slant) * inverse * op.gain[j];
      op.dx[at] = op.accumulate ? op.dx[at] + value : value;
    }
  }
}

}  // namespace reference
}  // namespace anodiff::ops
