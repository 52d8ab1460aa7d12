// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/annotate.hpp>
#include <anodiff/core/reflected.hpp>
#include <anodiff/ops/blur.hpp>

namespace anodiff::ops {

/// Absolute error of the float map against double, for pictures whose values lie within twice the range.
inline constexpr double ssim_bound = 1e-3;

/// Structural similarity at each pixel and channel, in [-1, 1], 1 where the surroundings are equal:
///   (2 μx μy + C₁)(2 σxy + C₂) / ((μx² + μy² + C₁)(σx² + σy² + C₂)), C₁ = (0.01 range)², C₂ = (0.03 range)².
/// Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity", eq. 13, with its
/// window of 11 by 11 and sigma 1.5 (ssim_window), at every pixel: the border is mirrored.
template <class T>
struct ssim_map {
  const T *x, *y;                 ///< (n, height, width, channels)
  T* out;                         ///< likewise; none of the others
  T* scratch;                     ///< (6, height, width, channels)
  const std::vector<T>* weights;  ///< from ssim_window, or another window
  double range;                   ///< the largest difference that data can have; above 0
  index n, height, width, channels;
};

/// The window from its middle outwards, as gaussian_weights gives it.
template <class T>
[[nodiscard]] std::vector<T> ssim_window(double sigma = 1.5, index side = 11) {
  check(sigma > 0 && side >= 1 && side % 2 == 1, "ssim: needs a positive sigma and an odd side, got ", sigma, " and ",
        side);
  std::vector<double> weights;
  double sum = 0;
  for (index k = 0; k <= side / 2; ++k) {
    const double z = static_cast<double>(k) / sigma;
    weights.push_back(std::exp(-z * z / 2));
    sum += (k == 0 ? 1 : 2) * weights.back();
  }
  std::vector<T> out;
  for (const double w : weights) out.push_back(static_cast<T>(w / sum));
  return out;
}

/// What makes the map out of the windowed means of x, y, x², y² and x y; written with the squares of differences, so
/// that equal pictures give exactly 1 and the order of the two does not matter.
template <class V, class T>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V ssim_of(const V& x, const V& y, const V& xx, const V& yy, const V& xy, T c1,
                                              T c2) noexcept {
  const V product = x * y, apart = (x - y) * (x - y);
  const V means = 2 * product + c1, covariance = 2 * (xy - product) + c2;
  return means * covariance / ((means + apart) * (covariance + ((xx + yy - 2 * xy) - apart)));
}

namespace reference {

/// Straight from the definition, each window by itself.
template <class T>
void run(const ssim_map<T>& op) {
  const auto radius = static_cast<index>(op.weights->size()) - 1;
  const double c1 = std::pow(0.01 * op.range, 2), c2 = std::pow(0.03 * op.range, 2);
  const auto at = [&](index n, index i, index j, index c) {
    return ((n * op.height + reflected(i, op.height)) * op.width + reflected(j, op.width)) * op.channels + c;
  };
  const auto weight = [&](index k) {
    return static_cast<double>((*op.weights)[static_cast<std::size_t>(std::abs(k))]);
  };
  for (index n = 0; n < op.n; ++n)
    for (index i = 0; i < op.height; ++i)
      for (index j = 0; j < op.width; ++j)
        for (index c = 0; c < op.channels; ++c) {
          const auto mean = [&](auto&& f) {
            double sum = 0;
            for (index p = -radius; p <= radius; ++p)
              for (index q = -radius; q <= radius; ++q) {
                const index from = at(n, i + p, j + q, c);
                sum += weight(p) * weight(q) * f(static_cast<double>(op.x[from]), static_cast<double>(op.y[from]));
              }
            return sum;
          };
          const double mx = mean([](double x, double) { return x; }), my = mean([](double, double y) { return y; });
          const double vx = mean([&](double x, double) { return (x - mx) * (x - mx); });
          const double vy = mean([&](double, double y) { return (y - my) * (y - my); });
          const double cross = mean([&](double x, double y) { return (x - mx) * (y - my); });
          op.out[at(n, i, j, c)] =
              static_cast<T>((2 * mx * my + c1) * (2 * cross + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2)));
        }
}

}  // namespace reference
}  // namespace anodiff::ops
