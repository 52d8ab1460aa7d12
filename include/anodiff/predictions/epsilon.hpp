// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>

namespace anodiff::predictions {

/// The network gives the noise: F = ε, x̂_0 = (x_t − sigma F) / alpha. Ho et al. 2020, arXiv:2006.11239, eq. 9 and 15.
class epsilon {
 public:
  using params = no_params;
  static constexpr std::string_view name = "epsilon";
  /// Whether x̂_0 is lost where alpha = 0, so that a schedule that ends in pure noise cannot be used with it.
  static constexpr bool needs_signal = true;

  explicit epsilon(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] mixture target(noise_level) const noexcept { return {0, 1}; }
  [[nodiscard]] mixture fold(noise_level l) const noexcept { return {1 / l.alpha, -l.sigma / l.alpha}; }
};
static_assert(prediction<epsilon>);

}  // namespace anodiff::predictions
