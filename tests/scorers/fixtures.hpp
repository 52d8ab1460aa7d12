// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/gaussian.hpp>
#include "laws/scorer_laws.hpp"

namespace scorers_fixtures {

using namespace anodiff;
using laws::index;
using cloud = models::gaussian<cpu_engine>;

inline constexpr std::array mean{1.0, -2.0, 0.5};

/// The exact denoiser of independent columns with those means and one variance: x̂_0 = μ + gain (x_t − alpha μ).
[[nodiscard]] inline cloud independent(double variance, int threads = 1) {
  cloud model{{.ridge = 0}, cpu_engine{threads}};
  model.assume(Eigen::Map<const Eigen::VectorXd>(mean.data(), 3), variance * Eigen::MatrixXd::Identity(3, 3));
  return model;
}
[[nodiscard]] inline double gain(double variance, const noise_level& level) {
  return level.alpha * variance / (level.alpha * level.alpha * variance + level.sigma * level.sigma);
}

/// Rows at the mean, and in row 1 each column displaced by j + 1 halves.
[[nodiscard]] inline tensor<float, 2> displaced() {
  tensor<float, 2> x{{3, 3}};
  for (index i = 0; i < 3; ++i)
    for (index j = 0; j < 3; ++j)
      x(i, j) = static_cast<float>(mean[static_cast<std::size_t>(j)] + (i == 1 ? 0.5 * static_cast<double>(j + 1) : 0));
  return x;
}

}  // namespace scorers_fixtures
