// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/sampler.hpp>
#include <cmath>

namespace anodiff::samplers {

/// The variance of the reverse step. The fixed ones are optimal for one extreme of data each, a single point or white
/// noise; the names with log are those of diffusers for the same variances (its fixed_large_log takes the root of a
/// logarithm, which is NaN; here it is what the name says). `learned` lies between them in the logarithm where the
/// network says, for predictions that learn a variance, which the others leave unused; `blended` does so with the share
/// a constant; `none` takes the mean alone. Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 15.
enum class ddpm_variance { fixed_small, fixed_large, fixed_small_log, fixed_large_log, blended, learned, none };
[[nodiscard]] constexpr std::array<std::string_view, 7> names_of(ddpm_variance) {
  return {"fixed_small", "fixed_large", "fixed_small_log", "fixed_large_log", "blended", "learned", "none"};
}

struct ddpm_params {
  ddpm_variance variance = ddpm_variance::fixed_small;  ///< β̃_t, β_t or between
  double blend = 0.5;                                   ///< share of log β_t in `blended`; [0, 1]

  static constexpr void fields(auto& self, auto&& field) {
    field("variance", self.variance);
    field("blend", self.blend);
  }
};

/// Ancestral sampling. Ho et al. 2020, arXiv:2006.11239, eq. 7 for the mean and section 3.2 for the variance, written
/// for any two levels, so that it may skip steps.
class ddpm {
 public:
  using params = ddpm_params;
  static constexpr std::string_view name = "ddpm";
  static constexpr bool takes_variance = true;

  explicit ddpm(params p = {}) : params_{p} {
    check(p.blend >= 0 && p.blend <= 1, "samplers::ddpm: blend must lie in [0, 1], got ", p.blend);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return params_.variance == ddpm_variance::none; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::ddpm", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) stages.push_back(step(levels[i], levels[i + 1]));
    return stages;
  }

 private:
  [[nodiscard]] stage step(noise_level from, noise_level to) const noexcept {
    const reverse_law law = reverse(from, to);
    stage s{.at = from};
    s.x_weight = law.of_x;
    s.clean_weight = law.of_clean;
    if (to.sigma == 0 || deterministic()) return s;
    const double large = std::sqrt(law.most);
    s.noise_weight = large * std::pow(to.sigma / from.sigma, 1 - share_of_large());
    if (params_.variance == ddpm_variance::learned) s.noise_most = large;
    return s;
  }
  [[nodiscard]] double share_of_large() const noexcept {
    switch (params_.variance) {
      case ddpm_variance::fixed_large:
      case ddpm_variance::fixed_large_log:
        return 1;
      case ddpm_variance::blended:
        return params_.blend;
      default:
        return 0;
    }
  }
  params params_;
};
static_assert(sampler<ddpm>);

}  // namespace anodiff::samplers
