// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/dpm_solver_pp.hpp>

namespace anodiff::samplers {

struct dpm_solver_pp_sde_params {
  int order = 2;                            ///< 1 to 3
  slope_rule slope = slope_rule::midpoint;  ///< of second-order steps
  bool low_order_end = true;                ///< runs under 15 steps end with steps of order 2 and 1

  static constexpr void fields(auto& self, auto&& field) {
    field("order", self.order);
    field("slope", self.slope);
    field("low_order_end", self.low_order_end);
  }
};

/// DPM-Solver++ on the reverse SDE: each step forgets twice as fast and draws what is missing. Lu et al. 2022,
/// arXiv:2211.01095, eq. 18 and appendix; the slope of order 2 as in diffusers' sde-dpmsolver++.
class dpm_solver_pp_sde {
 public:
  using params = dpm_solver_pp_sde_params;
  static constexpr std::string_view name = "dpm_solver_pp_sde";

  explicit dpm_solver_pp_sde(params p = {}) : params_{p} {
    check(p.order >= 1 && p.order <= 3, "samplers::dpm_solver_pp_sde: order must lie in [1, 3], got ", p.order);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return false; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::dpm_solver_pp_sde", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      const noise_level &from = levels[i], &to = levels[i + 1];
      const auto order =
          order_of(static_cast<std::size_t>(params_.order), solver::place_of(levels, i, params_.low_order_end));
      const double decay = to.sigma * from.alpha / (from.sigma * to.alpha);  // e^{−h}, also at both ends
      stage s{.at = from};
      s.x_weight = to.sigma / from.sigma * decay;
      if (order == 1)
        s.clean_weight = to.alpha - s.x_weight * from.alpha;
      else
        solver::add_estimates(
            s, multistep_clean_weights(levels, i, order, 2, {.order = params_.order, .slope = params_.slope}),
            to.alpha);
      s.noise_weight = to.sigma * std::sqrt((1 - decay) * (1 + decay));
      stages.push_back(s);
    }
    return stages;
  }

 private:
  params params_;
};
static_assert(sampler<dpm_solver_pp_sde>);

}  // namespace anodiff::samplers
