// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/sampler.hpp>
#include <cmath>

namespace anodiff::samplers {

struct consistency_params {
  double least_noise = 0;  ///< the paper's ε: sigma / alpha at which the model gives its input back; at least 0

  static constexpr void fields(auto& self, auto&& field) { field("least_noise", self.least_noise); }
};

/// Each clean estimate is noised afresh to the next level. Song et al. 2023, arXiv:2303.01469, algorithm 1: for models
/// whose estimate is a sample and not a mean.
class consistency {
 public:
  using params = consistency_params;
  static constexpr std::string_view name = "consistency";

  explicit consistency(params p = {}) : params_{p} {
    check(p.least_noise >= 0 && std::isfinite(p.least_noise),
          "samplers::consistency: least_noise must be at least 0, got ", p.least_noise);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return false; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::consistency", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      const noise_level& to = levels[i + 1];
      const double least = std::min(params_.least_noise * to.alpha, to.sigma);
      stage s{.at = levels[i]};
      s.clean_weight = to.alpha;
      s.noise_weight = std::sqrt((to.sigma - least) * (to.sigma + least));
      stages.push_back(s);
    }
    return stages;
  }

 private:
  params params_;
};
static_assert(sampler<consistency>);

}  // namespace anodiff::samplers
