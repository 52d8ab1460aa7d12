// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.hpp>

namespace anodiff::ops {

/// y = f(((x − mean) / √(variance + ε) gain + bias) (1 + s) + t), mean and variance over the pixels and the
/// neighbouring channels of a group. Wu & He 2018, arXiv:1803.08494, eq. 1; s and t, a vector for each noise level, as
/// in adaptive group normalisation (Dhariwal & Nichol 2021, arXiv:2105.05233, eq. 1). Sums in double.
template <class T>
struct group_norm_forward {
  const T* x;                           ///< (n, pixels, channels)
  const T *gain, *bias;                 ///< (channels)
  const T* table = nullptr;             ///< (levels, 2 channels): s, t; null for none
  const std::int32_t* level = nullptr;  ///< (n); read with a table
  T* y;                                 ///< (n, pixels, channels); may be x
  T *mean = nullptr, *inverse = nullptr;  ///< (n, groups): mean and 1 / √(variance + ε), for the backward pass, or null
  index n, pixels, channels, groups;      ///< groups divides channels
  double epsilon = 1e-5;
  activation kind = activation::identity;
};

/// Gradients of group_norm_forward. dgain and dbias are added to, the pictures in order.
template <class T>
struct group_norm_backward {
  const T *x, *dy;                       ///< (n, pixels, channels)
  const T *gain, *bias;                  ///< (channels)
  const T* table = nullptr;              ///< (levels, 2 channels)
  const std::int32_t* level = nullptr;   ///< (n)
  const T *mean, *inverse;               ///< (n, groups)
  T* sums;                               ///< (n, 2 channels): written; with a table, its gradient, a row a picture
  T *dgain = nullptr, *dbias = nullptr;  ///< (channels), both or neither
  T* dx = nullptr;                       ///< (n, pixels, channels); not dy
  bool accumulate = false;               ///< adds to dx
  index n, pixels, channels, groups;
  activation kind = activation::identity;
};

namespace reference {

template <class T>
void run(const group_norm_forward<T>& op) {
  const index width = op.channels / op.groups, size = op.pixels * op.channels;
  for (index n = 0; n < op.n; ++n)
    for (index g = 0; g < op.groups; ++g) {
      const auto each = [&](auto&& f) {
        for (index i = 0; i < op.pixels; ++i)
          for (index c = g * width; c < (g + 1) * width; ++c) f(n * size + i * op.channels + c, c);
      };
      double sum = 0, square = 0;
      const auto count = static_cast<double>(op.pixels * width);
      each([&](index at, index) { sum += static_cast<double>(op.x[at]); });
      const double mean = sum / count;
      each([&](index at, index) {
        const double e = static_cast<double>(op.x[at]) - mean;
        square += e * e;
      });
      const double inverse = 1 / std::sqrt(square / count + op.epsilon);
      if (op.mean != nullptr) op.mean[n * op.groups + g] = static_cast<T>(mean);
      if (op.inverse != nullptr) op.inverse[n * op.groups + g] = static_cast<T>(inverse);
      each([&](index at, index c) {
        T z = static_cast<T>((static_cast<double>(op.x[at]) - mean) * inverse) * op.gain[c] + op.bias[c];
        if (op.table != nullptr) {
          const T* row = op.table + op.level[n] * 2 * op.channels;
          z = z * (1 + row[c]) + row[op.channels + c];
        }
        op.y[at] = activate(op.kind, z);
      });
    }
}

template <class T>
void run(const group_norm_backward<T>& op) {
  const index width = op.channels / op.groups, size = op.pixels * op.channels;
  for (index n = 0; n < op.n; ++n)
    for (index g = 0; g < op.groups; ++g) {
      const T mean = op.mean[n * op.groups + g], inverse = op.inverse[n * op.groups + g];
      const auto each = [&](auto&& f) {  // f(place, channel, 1 + s, x̂, gradient of what goes into f)
        for (index i = 0; i < op.pixels; ++i)
          for (index c = g * width; c < (g + 1) * width; ++c) {
            const index at = n * size + i * op.channels + c;
            const T* row = op.table != nullptr ? op.table + op.level[n] * 2 * op.channels : nullptr;
            const T scale = row != nullptr ? 1 + row[c] : T{1}, shift = row != nullptr ? row[op.channels + c] : T{0};
            const T normed = (op.x[at] - mean) * inverse;
            const T z = (normed * op.gain[c] + op.bias[c]) * scale + shift;
            f(at, c, scale, normed, op.dy[at] * slope(op.kind, z));
          }
      };
      T *scales = op.sums + n * 2 * op.channels, *shifts = scales + op.channels;
      for (index c = g * width; c < (g + 1) * width; ++c) scales[c] = shifts[c] = 0;
      double sum = 0, product = 0;  // of the gradient of x̂, and of that times x̂
      each([&](index, index c, T scale, T normed, T dz) {
        scales[c] += dz * (normed * op.gain[c] + op.bias[c]);
        shifts[c] += dz;
        if (op.dgain != nullptr) {
          op.dgain[c] += dz * scale * normed;
          op.dbias[c] += dz * scale;
        }
        sum += static_cast<double>(dz * scale * op.gain[c]);
        product += static_cast<double>(dz * scale * op.gain[c] * normed);
      });
      if (op.dx == nullptr) continue;
      const auto count = static_cast<double>(op.pixels * width);
      each([&](index at, index c, T scale, T normed, T dz) {
        const T value =
            (dz * scale * op.gain[c] - static_cast<T>(sum / count) - normed * static_cast<T>(product / count)) *
            inverse;
        op.dx[at] = op.accumulate ? op.dx[at] + value : value;
      });
    }
}

}  // namespace reference
}  // namespace anodiff::ops
