// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/beta_range.hpp>

namespace anodiff::schedules {

struct laplace_params {
  double mean = 0;          ///< of the log signal-to-noise ratio; [-20, 20]
  double scale = 0.5;       ///< of its Laplace law; (0, 10]
  double beta_cap = 0.999;  ///< no β exceeds it; in (0, 1)
  index steps = 1000;       ///< T; at least 1
  bool compat = false;      ///< ᾱ as diffusers has it: the root of what the ratio says

  static constexpr void fields(auto& self, auto&& field) {
    field("mean", self.mean);
    field("scale", self.scale);
    field("beta_cap", self.beta_cap);
    field("steps", self.steps);
    field("compat", self.compat);
  }
};

/// The log signal-to-noise ratio is spread as a Laplace law, with most levels around its mean. Hang et al. 2024,
/// arXiv:2407.03297, table 1. ᾱ = SNR / (1 + SNR); diffusers takes the root of it, which is alpha.
class laplace {
 public:
  using params = laplace_params;
  static constexpr std::string_view name = "laplace";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit laplace(params p = {}) : params_{p} {
    check(p.mean >= -20 && p.mean <= 20, "schedules::laplace: mean must lie in [-20, 20], got ", p.mean);
    check(p.scale > 0 && p.scale <= 10, "schedules::laplace: scale must lie in (0, 10], got ", p.scale);
    check(p.beta_cap > 0 && p.beta_cap < 1, "schedules::laplace: beta_cap must lie in (0, 1), got ", p.beta_cap);
    check(p.steps >= 1 && p.steps <= 1'000'000, "schedules::laplace: steps must lie in [1, 1000000], got ", p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    return from_signal_curve(params_.steps, params_.beta_cap, [this](double time) {
      const double side = 0.5 - time;
      const double spread = std::log(1 - 2 * std::abs(side) + 1e-6);  // kept from −infinity at both ends
      const double log_snr = params_.mean - (side > 0 ? 1 : side < 0 ? -1 : 0) * params_.scale * spread;
      const double signal = 1 / (1 + std::exp(-log_snr));
      return params_.compat ? std::sqrt(signal) : signal;
    });
  }

 private:
  params params_;
};
static_assert(schedule<laplace>);

}  // namespace anodiff::schedules
