// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/objectives/measure_times.hpp>
#include <cmath>

namespace anodiff::objectives {

/// The noise variance as an inverse gamma law of shape d/2 − 1 for d columns, its scale β = o² learned: minimises
/// −(d/2 − 1) log β + β / σ², whose least value lies at β = (d/2 − 1) σ². The estimate is β. Livernoche et al. 2023
/// (DTE-IG), arXiv:2305.18593, section 4.2. The shape is at least 1/2, for up to two columns leave none.
class inverse_gamma {
 public:
  using params = no_params;
  static constexpr std::string_view name = "inverse_gamma";

  explicit inverse_gamma(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] index outputs() const noexcept { return 1; }

  template <class Engine>
  void measure(Engine& engine, const time_batch<typename Engine::real>& b) const {
    measure_times(*this, engine, b);
  }
  /// The loss of one row (1), and its gradient times `scale` where one is wanted.
  template <class T>
  [[nodiscard]] ANODIFF_HD double measure(const T* row, index, index columns, double, double sigma, double scale,
                                          T* gradient) const noexcept {
    const double shape = columns > 3 ? static_cast<double>(columns) / 2 - 1 : 0.5;
    const auto o = static_cast<double>(*row);
    const double beta = o * o + least, variance = sigma * sigma;
    if (gradient != nullptr) *gradient = static_cast<T>(2 * o * (1 / variance - shape / beta) * scale);
    return -shape * std::log(beta) + beta / variance;
  }
  [[nodiscard]] double read(std::span<const float> output, std::span<float> slope) const noexcept {
    slope[0] = 2 * output[0];
    return static_cast<double>(output[0]) * static_cast<double>(output[0]);
  }

 private:
  static constexpr double least = 1e-5;  ///< added to β, so that its logarithm stays finite
};

}  // namespace anodiff::objectives
