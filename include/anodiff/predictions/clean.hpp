// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>

namespace anodiff::predictions {

/// The network gives the clean sample: F = x_0. Salimans & Ho 2022, arXiv:2202.00512, section 4.
class clean {
 public:
  using params = no_params;
  static constexpr std::string_view name = "clean";
  /// Whether x̂_0 is lost where alpha = 0, so that a schedule that ends in pure noise cannot be used with it.
  static constexpr bool needs_signal = false;

  explicit clean(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] mixture target(noise_level) const noexcept { return {1, 0}; }
  [[nodiscard]] mixture fold(noise_level) const noexcept { return {0, 1}; }
};
static_assert(prediction<clean>);

}  // namespace anodiff::predictions
