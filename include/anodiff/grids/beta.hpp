// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/placed.hpp>

namespace anodiff::grids {

struct beta_params {
  double first = 0.6;                 ///< first parameter of the Beta law; [0.1, 10]
  double second = 0.6;                ///< second parameter; [0.1, 10]
  grid_time time = grid_time::exact;  ///< compat: diffusers truncates

  static constexpr void fields(auto& self, auto&& field) {
    field("first", self.first);
    field("second", self.second);
    field("time", self.time);
  }
};

/// sigma / alpha at even quantiles of a Beta law between its ends: many levels at both. Lee et al. 2024,
/// arXiv:2407.12173, section 4.
class beta {
 public:
  using params = beta_params;
  static constexpr std::string_view name = "beta";

  explicit beta(params p = {}) : params_{p} {
    const auto good = [](double v) { return v >= 0.1 && v <= 10; };
    check(good(p.first) && good(p.second), "grids::beta: first and second must lie in [0.1, 10], got ", p.first,
          " and ", p.second);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    return placed("grids::beta", schedule, steps, params_.time, [this](double share, double least, double most) {
      return least + quantile(1 - share, share) * (most - least);
    });
  }
  /// x with F(x) = low, where low + high = 1.
  [[nodiscard]] double quantile(double low, double high) const noexcept {
    const double middle = lower(0.5, params_.first, params_.second);
    return low <= middle ? solve(low, params_.first, params_.second) : 1 - solve(high, params_.second, params_.first);
  }

 private:
  /// F(x) for x in [0, 1/2], from the binomial series of (1 − t)^(b − 1), integrated.
  [[nodiscard]] static double lower(double x, double a, double b) noexcept {
    double sum = 0, term = 1;
    for (int n = 0; n < 80; ++n) {
      sum += term / (a + n);
      term *= x * (n + 1 - b) / (n + 1);
    }
    return std::pow(x, a) * sum * std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b));
  }
  /// F⁻¹ below 1/2 by bisection of x^a, in which F is nearly straight.
  [[nodiscard]] static double solve(double p, double a, double b) noexcept {
    double low = 0, high = std::pow(0.5, a);
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (lower(std::pow(middle, 1 / a), a, b) < p ? low : high) = middle;
    }
    return std::pow((low + high) / 2, 1 / a);
  }
  params params_;
};
static_assert(grid<beta>);

}  // namespace anodiff::grids
