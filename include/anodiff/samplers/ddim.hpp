// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/sampler.hpp>
#include <cmath>

namespace anodiff::samplers {

struct ddim_params {
  double eta = 0;  ///< 0 deterministic … 1 the variance of DDPM; [0, 1]

  static constexpr void fields(auto& self, auto&& field) { field("eta", self.eta); }
};

/// DDIM. Song, Meng & Ermon 2020, arXiv:2010.02502, eq. 12, with the standard deviation of eq. 16. First order in the
/// step of lambda at eta = 0.
class ddim {
 public:
  using params = ddim_params;
  static constexpr std::string_view name = "ddim";

  explicit ddim(params p = {}) : params_{p} {
    check(p.eta >= 0 && p.eta <= 1, "samplers::ddim: eta must lie in [0, 1], got ", p.eta);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return params_.eta == 0; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::ddim", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) stages.push_back(step(levels[i], levels[i + 1]));
    return stages;
  }

 private:
  [[nodiscard]] stage step(noise_level from, noise_level to) const noexcept {
    const double shrink = from.alpha / to.alpha;  // the paper's √(α_t / α_{t−1})
    const double variance = from.sigma * from.sigma - shrink * shrink * to.sigma * to.sigma;  // of x_from given x_to
    const double noise = std::min(params_.eta * to.sigma / from.sigma * std::sqrt(std::max(variance, 0.0)), to.sigma);
    const double keep = std::sqrt((to.sigma - noise) * (to.sigma + noise)) / from.sigma;
    stage s{.at = from};
    s.x_weight = keep;
    s.clean_weight = to.alpha - keep * from.alpha;
    s.noise_weight = noise;
    return s;
  }
  params params_;
};
static_assert(sampler<ddim>);

}  // namespace anodiff::samplers
