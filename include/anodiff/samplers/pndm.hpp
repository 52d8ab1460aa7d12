// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/exponential_weights.hpp>

namespace anodiff::samplers {

/// PNDM with the linear multistep start (PLMS): DDIM's step with the Adams-Bashforth mean of the last four noises. Liu
/// et al. 2022, arXiv:2202.09778, eq. 9 to 13; the first step, in two calls, is that of diffusers with skip_prk_steps.
/// Second order in the step of time for levels evenly spread in it. The step to sigma = 0 takes the last clean
/// estimate.
class pndm {
 public:
  using params = no_params;
  static constexpr std::string_view name = "pndm";

  explicit pndm(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] bool deterministic() const noexcept { return true; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::pndm", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size());
    std::size_t history = 0;  // noises kept
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      const noise_level &from = levels[i], &to = levels[i + 1];
      stage s = detail::first_order(from, to);
      if (from.alpha == 0) {  // the noise is all that is there; it says nothing of the slope
        s.keep_clean = 0;
        stages.push_back(s);
        continue;
      }
      solver::keep_noise(s);
      if (to.sigma == 0) {
        stages.push_back(s);
        continue;
      }
      if (history == 0) {
        const bool again = i + 2 < levels.size();
        s.save_x = again;
        stages.push_back(s);
        if (again) stages.push_back(repeated(from, to));
      } else {
        stages.push_back(combined(from, to, std::min<std::size_t>(history, 3)));
      }
      ++history;
    }
    return stages;
  }

 private:
  /// x' = (alpha' / alpha) x + drift ε.
  [[nodiscard]] static double drift(const noise_level& from, const noise_level& to) noexcept {
    return to.sigma - to.alpha / from.alpha * from.sigma;
  }
  /// The first step again, with the mean of the noises at its two ends.
  [[nodiscard]] static stage repeated(const noise_level& from, const noise_level& to) noexcept {
    stage s{.at = to};
    s.clean_weight = drift(from, to) / 2;
    s.past_weight[0] = drift(from, to) / 2;
    solver::turn_to_noise(s);
    s.keep_x = s.keep_clean = 0;
    s.saved_weight = to.alpha / from.alpha;
    return s;
  }
  [[nodiscard]] static stage combined(const noise_level& from, const noise_level& to, std::size_t past) noexcept {
    constexpr std::array<node_weights, 4> adams{node_weights{1},
                                                {3.0 / 2, -1.0 / 2},
                                                {23.0 / 12, -16.0 / 12, 5.0 / 12},
                                                {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24}};
    stage s{.at = from};
    solver::add_estimates(s, adams[past], drift(from, to));
    s.x_weight = to.alpha / from.alpha;
    solver::turn_to_noise(s);
    return s;
  }
};
static_assert(sampler<pndm>);

}  // namespace anodiff::samplers
