// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/core/reflected.hpp>
#include <cmath>
#include <vector>

namespace anodiff::ops {

/// Gaussian blur of pictures in their plane, the border mirrored without its outermost pixel; the weights end at four
/// sigma and sum to 1. Error of the vectorised form: 1e-6 of the largest |x|.
template <class T>
struct gaussian_blur {
  const T* x;                     ///< (rows, height, width, channels)
  T* y;                           ///< like x; may be x
  T* scratch;                     ///< (height, width, channels)
  const std::vector<T>* weights;  ///< from blur_weights
  index rows, height, width, channels;
};

/// The weights of a Gaussian from its middle outwards: w[0], w[1] = w[-1], … Throws invalid_argument for a sigma that
/// is not in (0, 1000] pixels.
template <class T>
[[nodiscard]] std::vector<T> blur_weights(double sigma) {
  check(sigma > 0 && sigma <= 1000, "blur: sigma must lie in (0, 1000] pixels, got ", sigma);
  const auto radius = static_cast<std::size_t>(std::ceil(4 * sigma));
  std::vector<double> weights(radius + 1);
  double sum = 0;
  for (std::size_t k = 0; k <= radius; ++k) {
    const double z = static_cast<double>(k) / sigma;
    weights[k] = std::exp(-z * z / 2);
    sum += (k == 0 ? 1 : 2) * weights[k];
  }
  std::vector<T> out;
  for (const double w : weights) out.push_back(static_cast<T>(w / sum));
  return out;
}

namespace reference {

template <class T>
void run(const gaussian_blur<T>& op) {
  const auto radius = static_cast<index>(op.weights->size()) - 1;
  const auto weight = [&](index k) {
    return static_cast<double>((*op.weights)[static_cast<std::size_t>(std::abs(k))]);
  };
  const auto at = [&](index i, index j, index c) { return (i * op.width + j) * op.channels + c; };
  for (index n = 0; n < op.rows; ++n) {
    const T* x = op.x + n * op.height * op.width * op.channels;
    T* y = op.y + n * op.height * op.width * op.channels;
    for (index i = 0; i < op.height; ++i)
      for (index j = 0; j < op.width; ++j)
        for (index c = 0; c < op.channels; ++c) {
          double sum = 0;
          for (index k = -radius; k <= radius; ++k)
            sum += weight(k) * static_cast<double>(x[at(reflected(i + k, op.height), j, c)]);
          op.scratch[at(i, j, c)] = static_cast<T>(sum);
        }
    for (index i = 0; i < op.height; ++i)
      for (index j = 0; j < op.width; ++j)
        for (index c = 0; c < op.channels; ++c) {
          double sum = 0;
          for (index k = -radius; k <= radius; ++k)
            sum += weight(k) * static_cast<double>(op.scratch[at(i, reflected(j + k, op.width), c)]);
          y[at(i, j, c)] = static_cast<T>(sum);
        }
  }
}

}  // namespace reference
}  // namespace anodiff::ops
