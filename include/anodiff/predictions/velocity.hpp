// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>

namespace anodiff::predictions {

/// The network gives v = alpha ε − sigma x_0. Salimans & Ho 2022, arXiv:2202.00512, section 4 and appendix D. Solved
/// for x_0 in general, so that it also serves levels with alpha² + sigma² ≠ 1.
class velocity {
 public:
  using params = no_params;
  static constexpr std::string_view name = "velocity";
  /// Whether x̂_0 is lost where alpha = 0, so that a schedule that ends in pure noise cannot be used with it.
  static constexpr bool needs_signal = false;

  explicit velocity(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] mixture target(noise_level l) const noexcept { return {-l.sigma, l.alpha}; }
  [[nodiscard]] mixture fold(noise_level l) const noexcept {
    const double power = l.alpha * l.alpha + l.sigma * l.sigma;
    return {l.alpha / power, -l.sigma / power};
  }
};
static_assert(prediction<velocity>);

}  // namespace anodiff::predictions
