// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>

namespace anodiff::predictions {

/// The network gives all that does not belong to the clean sample, F = x_t − alpha x_0 = sigma ε, in the data's own
/// scale: for damage that does not grow with the noise (Zhang et al. 2017, DnCNN, arXiv:1608.03981, eq. 1).
class residual {
 public:
  using params = no_params;
  static constexpr std::string_view name = "residual";
  /// Whether x̂_0 is lost where alpha = 0, so that a schedule that ends in pure noise cannot be used with it.
  static constexpr bool needs_signal = true;

  explicit residual(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] mixture target(noise_level l) const noexcept { return {0, l.sigma}; }
  [[nodiscard]] mixture fold(noise_level l) const noexcept { return {1 / l.alpha, -1 / l.alpha}; }
};
static_assert(prediction<residual>);

}  // namespace anodiff::predictions
