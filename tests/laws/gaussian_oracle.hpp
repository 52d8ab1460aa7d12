// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <array>
#include <cmath>
#include <vector>

namespace laws {

/// Data N(mean, Q diag(variance) Qᵀ) in two dimensions, Q a rotation: the best clean estimate and the solution of the
/// probability-flow ODE are known in closed form. A variance of 0 makes it a line, and an equal one a disc.
struct gaussian_oracle {
  using point = std::array<double, 2>;
  point mean{};
  double angle = 0;
  point variance{1, 1};

  /// E[x_0 | x_t = x] = mean + alpha S (alpha² S + sigma²)⁻¹ (x − alpha mean), on the axes of S.
  [[nodiscard]] point clean(const point& x, const anodiff::noise_level& l) const {
    point c = on_axes(x, l.alpha);
    for (std::size_t k = 0; k < 2; ++k) c[k] *= l.alpha * variance[k] / power(k, l);
    return back(c, 1);
  }
  /// Along the flow each axis of x_t − alpha mean keeps its ratio to its standard deviation.
  [[nodiscard]] point flow(const point& x, const anodiff::noise_level& from, const anodiff::noise_level& to) const {
    point c = on_axes(x, from.alpha);
    for (std::size_t k = 0; k < 2; ++k) c[k] *= std::sqrt(power(k, to) / power(k, from));
    return back(c, to.alpha);
  }

 private:
  [[nodiscard]] double power(std::size_t k, const anodiff::noise_level& l) const {
    return l.alpha * l.alpha * variance[k] + l.sigma * l.sigma;
  }
  [[nodiscard]] point on_axes(const point& x, double alpha) const {
    const double u = x[0] - alpha * mean[0], v = x[1] - alpha * mean[1];
    return {std::cos(angle) * u + std::sin(angle) * v, std::cos(angle) * v - std::sin(angle) * u};
  }
  [[nodiscard]] point back(const point& c, double alpha) const {
    return {alpha * mean[0] + std::cos(angle) * c[0] - std::sin(angle) * c[1],
            alpha * mean[1] + std::sin(angle) * c[0] + std::cos(angle) * c[1]};
  }
};

/// Variance-preserving levels evenly spread in lambda: steps + 1 of them, noisiest first.
[[nodiscard]] inline std::vector<anodiff::noise_level> even_in_lambda(double from, double to, std::size_t steps) {
  std::vector<anodiff::noise_level> levels;
  for (std::size_t i = 0; i <= steps; ++i) {
    const double lambda = from + (to - from) * static_cast<double>(i) / static_cast<double>(steps);
    levels.push_back({1 / std::sqrt(1 + std::exp(-2 * lambda)), 1 / std::sqrt(1 + std::exp(2 * lambda)), 0});
  }
  return levels;
}

}  // namespace laws
