// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>

namespace anodiff::predictions {

/// The network gives the velocity of a straight path: F = ε − x_0. Lipman et al. 2022, arXiv:2210.02747, eq. 23, and
/// Liu et al. 2022, arXiv:2209.03003, eq. 1, in the direction of diffusion. Solved for x_0 in general, so that it also
/// serves levels with alpha + sigma ≠ 1.
class flow {
 public:
  using params = no_params;
  static constexpr std::string_view name = "flow";
  /// Whether x̂_0 is lost where alpha = 0, so that a schedule that ends in pure noise cannot be used with it.
  static constexpr bool needs_signal = false;

  explicit flow(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] mixture target(noise_level) const noexcept { return {-1, 1}; }
  [[nodiscard]] mixture fold(noise_level l) const noexcept {
    const double sum = l.alpha + l.sigma;
    return {1 / sum, -l.sigma / sum};
  }
};
static_assert(prediction<flow>);

}  // namespace anodiff::predictions
