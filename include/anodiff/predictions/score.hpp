// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>

namespace anodiff::predictions {

/// The network gives the score: F = −ε / sigma, x̂_0 = (x_t + sigma² F) / alpha. Song & Ermon 2019, arXiv:1907.05600,
/// eq. 5; Song et al. 2021, arXiv:2011.13456, eq. 7. It cannot be had at sigma = 0.
class score {
 public:
  using params = no_params;
  static constexpr std::string_view name = "score";
  /// Whether x̂_0 is lost where alpha = 0, so that a schedule that ends in pure noise cannot be used with it.
  static constexpr bool needs_signal = true;

  explicit score(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] mixture target(noise_level l) const noexcept { return {0, -1 / l.sigma}; }
  [[nodiscard]] mixture fold(noise_level l) const noexcept { return {1 / l.alpha, l.sigma * l.sigma / l.alpha}; }
};
static_assert(prediction<score>);

}  // namespace anodiff::predictions
