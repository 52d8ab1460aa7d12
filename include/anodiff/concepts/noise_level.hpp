// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

namespace anodiff {

/// x_t = alpha x_0 + sigma ε with ε ~ N(0, I). Papers write alpha as √ᾱ_t (DDPM), √α_t (DDIM) or 1 (EDM).
struct noise_level {
  double alpha = 1;  ///< factor of the clean sample, [0, 1]
  double sigma = 0;  ///< standard deviation of the noise, at least 0
  double time = 0;   ///< what the network is told of this level: its place in the training schedule, from 0

  /// Half the logarithm of the signal-to-noise ratio; falls as noise grows; ±infinity at the ends.
  [[nodiscard]] double lambda() const noexcept { return std::log(alpha / sigma); }
  [[nodiscard]] bool operator==(const noise_level&) const = default;
};

/// The level without noise, where every run ends.
inline constexpr noise_level clean_level{1, 0, 0};

}  // namespace anodiff
