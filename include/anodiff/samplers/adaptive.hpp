// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/sampler.hpp>

namespace anodiff::samplers {

struct adaptive_params {
  double absolute = 0.01;  ///< error of an element that a step may make; at least 0
  double relative = 0.01;  ///< the same as a share of the element's size; at least 0, and one of the two above 0
  double first = 0.05;     ///< share of the levels that the first step tries to pass; (0, 1]
  double safety = 0.9;     ///< share of the step that the error seems to allow; (0, 1)

  static constexpr void fields(auto& self, auto&& field) {
    field("absolute", self.absolute);
    field("relative", self.relative);
    field("first", self.first);
    field("safety", self.safety);
  }
};

/// Each row finds its own steps along the probability-flow ODE: DDIM's step and one of second order that shares its
/// calls of the network differ by the error of the first, and the next step is as long as that error allows
/// (Jolicoeur-Martineau et al. 2021, arXiv:2105.14080, algorithm 1, whose extrapolated state is kept too; here without
/// noise, and with the exponential pair of DPM-Solver++ (Lu et al. 2022, arXiv:2211.01095, eq. 9), for which a clean
/// estimate that does not change has no error). The levels are the places where a step may end.
class adaptive {
 public:
  using params = adaptive_params;
  static constexpr std::string_view name = "adaptive";

  explicit adaptive(params p = {}) : params_{p} {
    check(p.absolute >= 0 && p.relative >= 0 && p.absolute + p.relative > 0,
          "samplers::adaptive: absolute and relative must not be negative, and not both 0, got ", p.absolute, " and ",
          p.relative);
    check(p.first > 0 && p.first <= 1, "samplers::adaptive: first must lie in (0, 1], got ", p.first);
    check(p.safety > 0 && p.safety < 1, "samplers::adaptive: safety must lie in (0, 1), got ", p.safety);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  /// With h = lambda' − lambda and the estimate linear in lambda, ∫ e^-(h − s) alpha' (clean + s/h (clean' − clean))
  /// ds.
  [[nodiscard]] embedded_step step(const noise_level& from, const noise_level& to) const noexcept {
    const stage low = detail::first_order(from, to);
    const double h = std::log(to.alpha / from.alpha * (from.sigma / to.sigma));
    const double change = !std::isfinite(h) ? 1 : h > 1e-4 ? 1 + std::expm1(-h) / h : h / 2;
    return {low.x_weight, low.clean_weight, to.alpha * change};
  }
  /// The error that an element of this size may have after a step.
  [[nodiscard]] double allowed(double size) const noexcept { return params_.absolute + params_.relative * size; }
  /// How much longer the next step may be, where this one made that many times the error that it may; a step is kept
  /// where it made no more than 1.
  [[nodiscard]] double stretch(double error) const noexcept {
    return std::clamp(params_.safety / std::sqrt(std::max(error, 1e-30)), 0.2, 5.0);
  }
  [[nodiscard]] double first() const noexcept { return params_.first; }

 private:
  params params_;
};
static_assert(adaptive_sampler<adaptive>);

}  // namespace anodiff::samplers
