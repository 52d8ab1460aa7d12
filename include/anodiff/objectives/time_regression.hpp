// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/objective.hpp>

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
  void measure(Engine&, const time_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    for (index i = 0; i < b.rows; ++i) {
      const double off = static_cast<double>(b.output[i]) - b.share[b.level[i]];
      b.row_loss[i] = off * off;
      if (b.gradient != nullptr) b.gradient[i] = static_cast<real>(2 * off / static_cast<double>(b.rows));
    }
  }
  [[nodiscard]] double read(std::span<const float> output, std::span<float> slope) const noexcept {
    slope[0] = 1;
    return static_cast<double>(output[0]);
  }
};

}  // namespace anodiff::objectives
