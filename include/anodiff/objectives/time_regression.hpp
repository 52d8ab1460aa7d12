// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/objectives/measure_times.hpp>

namespace anodiff::objectives {

/// The place t / T of a row's noise in the schedule, by its squared error: the mean of a Gaussian of fixed variance.
/// Livernoche et al. 2023 (DTE with a Gaussian posterior), arXiv:2305.18593, appendix.
class time_regression {
 public:
  using params = no_params;
  static constexpr std::string_view name = "time_regression";

  explicit time_regression(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] index outputs() const noexcept { return 1; }

  template <class Engine>
  void measure(Engine& engine, const time_batch<typename Engine::real>& b) const {
    measure_times(*this, engine, b);
  }
  /// The loss of one row (1), and its gradient times `scale` where one is wanted.
  template <class T>
  [[nodiscard]] ANODIFF_HD double measure(const T* row, index, index, double share, double, double scale,
                                          T* gradient) const noexcept {
    const double off = static_cast<double>(*row) - share;
    if (gradient != nullptr) *gradient = static_cast<T>(2 * off * scale);
    return off * off;
  }
  [[nodiscard]] double read(std::span<const float> output, std::span<float> slope) const noexcept {
    slope[0] = 1;
    return static_cast<double>(output[0]);
  }
};

}  // namespace anodiff::objectives
