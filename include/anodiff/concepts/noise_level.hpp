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

/// The law of x at a cleaner level, given x at a noisier one and the clean sample x_0: Gaussian of mean of_x x +
/// of_clean x_0 and variance `least`. `most` is the variance where x_0 is not known, and white noise of variance 1.
struct reverse_law {
  double of_x = 0, of_clean = 0;
  double least = 0, most = 0;
};

/// Ho et al. 2020, arXiv:2006.11239, eq. 6 and 7 with the two variances of section 3.2, β̃_t and β_t, for any two
/// levels.
[[nodiscard]] inline reverse_law reverse(const noise_level& from, const noise_level& to) noexcept {
  const double shrink = from.alpha / to.alpha, total = from.sigma * from.sigma, kept = to.sigma * to.sigma;
  const double added = total - shrink * shrink * kept;
  const double most = added > 0 ? added : 0;
  return {shrink * kept / total, to.alpha * added / total, most * kept / total, most};
}

/// The level with a given lambda on the path from `noisy` to `clear`, which encloses it. The path is that on which both
/// ends lie: alpha² + sigma² = 1 (diffusion), equal alphas (exploding noise) or alpha + sigma = 1 (straight flow);
/// elsewhere log alpha is linear in lambda. Time is linear in lambda, and in alpha from an end with alpha = 0.
[[nodiscard]] inline noise_level between(const noise_level& noisy, const noise_level& clear, double lambda) noexcept {
  constexpr double near = 1e-9;
  const auto both = [&](auto lies_on) { return lies_on(noisy) && lies_on(clear); };
  const double low = noisy.lambda(), share = (lambda - low) / (clear.lambda() - low);
  noise_level out;
  if (both([](const noise_level& l) { return std::abs(l.alpha * l.alpha + l.sigma * l.sigma - 1) < near; })) {
    out.alpha = 1 / std::sqrt(1 + std::exp(-2 * lambda));
    out.sigma = 1 / std::sqrt(1 + std::exp(2 * lambda));
  } else if (both([](const noise_level& l) { return std::abs(l.alpha + l.sigma - 1) < near; })) {
    out.alpha = 1 / (1 + std::exp(-lambda));
    out.sigma = 1 / (1 + std::exp(lambda));
  } else {
    out.alpha = noisy.alpha == clear.alpha ? clear.alpha : noisy.alpha * std::pow(clear.alpha / noisy.alpha, share);
    out.sigma = out.alpha * std::exp(-lambda);
  }
  const double along = std::isfinite(low) ? share : out.alpha / clear.alpha;
  out.time = noisy.time + (clear.time - noisy.time) * along;
  return out;
}

}  // namespace anodiff
