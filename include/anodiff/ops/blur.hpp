// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/core/reflected.hpp>
#include <cmath>
#include <vector>

namespace anodiff::ops {

/// Blur of pictures in their plane by the same symmetric weights down and across, the border mirrored without its
/// outermost pixel. Error of the vectorised form: 1e-6 of the largest |x|.
template <class T>
struct blur {
  const T* x;                     ///< (rows, height, width, channels)
  T* y;                           ///< like x; may be x
  T* scratch;                     ///< (height, width, channels)
  const std::vector<T>* weights;  ///< from gaussian_weights or box_weights
  index rows, height, width, channels;
};

/// The weights of a Gaussian from its middle outwards: w[0], w[1] = w[-1], …, up to four sigma; their sum is 1. Throws
/// invalid_argument for a sigma that is not in (0, 1000] pixels.
template <class T>
[[nodiscard]] std::vector<T> gaussian_weights(double sigma) {
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

/// The weights of a mean over 2 radius + 1 pixels. Throws invalid_argument for a radius that is not in [0, 1000].
template <class T>
[[nodiscard]] std::vector<T> box_weights(index radius) {
  check(radius >= 0 && radius <= 1000, "blur: radius must lie in [0, 1000] pixels, got ", radius);
  return std::vector<T>(static_cast<std::size_t>(radius + 1),
                        static_cast<T>(1.0 / static_cast<double>(2 * radius + 1)));
}

namespace reference {

template <class T>
void run(const blur<T>& op) {
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
