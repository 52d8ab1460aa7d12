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

  /// The run turned round, from its last level to its first: what noise leads to a sample. The estimate at the level
  /// that is left serves for the whole step, as in Song et al., section 4.3; first order, and the inverse of a run to
  /// first order only. Levels as for a run, noisiest first. Throws invalid_argument where the last has sigma = 0, from
  /// which no noise can be told, or eta is not 0.
  [[nodiscard]] std::vector<stage> inversion(std::span<const noise_level> levels) const {
    detail::check_run("samplers::ddim", levels);
    check(params_.eta == 0, "samplers::ddim: inversion needs eta = 0, got ", params_.eta);
    check(levels.back().sigma > 0,
          "samplers::ddim: inversion needs a last level with noise, got sigma = 0: begin at the schedule's cleanest "
          "level");
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = levels.size() - 1; i > 0; --i) stages.push_back(step(levels[i], levels[i - 1]));
    return stages;
  }

  /// compat: the run that diffusers makes of `linspace` spacing. Each step is worked out for the level ⌊size / steps⌋
  /// below its own in the schedule (least noisy first), and the network is then called at the next picked level, which
  /// is another one. Right for leading and trailing spacing, where the two agree.
  [[nodiscard]] std::vector<stage> fixed_stride_program(std::span<const noise_level> schedule,
                                                        std::span<const noise_level> picked) const {
    check(!picked.empty() && picked.size() <= schedule.size(), "samplers::ddim: a run with a fixed stride needs 1 to ",
          schedule.size(), " picked levels, got ", picked.size());
    const auto stride = static_cast<double>(schedule.size() / picked.size());
    std::vector<stage> stages;
    stages.reserve(picked.size());
    for (const auto& level : picked) {
      const double below = level.time - stride;
      stages.push_back(step(level, below < 0 ? clean_level : schedule[static_cast<std::size_t>(below)]));
    }
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
