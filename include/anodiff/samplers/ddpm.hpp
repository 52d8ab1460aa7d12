// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/sampler.hpp>
#include <cmath>

namespace anodiff::samplers {

/// The variance of the reverse step, both optimal for one extreme of data: a single point, or white noise.
enum class ddpm_variance { fixed_small, fixed_large };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(ddpm_variance) {
  return {"fixed_small", "fixed_large"};
}

struct ddpm_params {
  ddpm_variance variance = ddpm_variance::fixed_small;  ///< β̃_t or β_t

  static constexpr void fields(auto& self, auto&& field) { field("variance", self.variance); }
};

/// Ancestral sampling. Ho et al. 2020, arXiv:2006.11239, eq. 7 for the mean and section 3.2 for the variance, written
/// for any two levels, so that it may skip steps.
class ddpm {
 public:
  using params = ddpm_params;
  static constexpr std::string_view name = "ddpm";

  explicit ddpm(params p = {}) : params_{p} {}
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return false; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::ddpm", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) stages.push_back(step(levels[i], levels[i + 1]));
    return stages;
  }

 private:
  [[nodiscard]] stage step(noise_level from, noise_level to) const noexcept {
    const double shrink = from.alpha / to.alpha;
    const double variance =
        from.sigma * from.sigma - shrink * shrink * to.sigma * to.sigma;  // β_t where steps are single
    const double total = from.sigma * from.sigma;
    stage s{.at = from};
    s.x_weight = shrink * to.sigma * to.sigma / total;
    s.clean_weight = to.alpha * variance / total;
    const bool small = params_.variance == ddpm_variance::fixed_small;
    s.noise_weight =
        to.sigma == 0 ? 0 : std::sqrt(std::max(small ? variance * to.sigma * to.sigma / total : variance, 0.0));
    return s;
  }
  params params_;
};
static_assert(sampler<ddpm>);

}  // namespace anodiff::samplers
