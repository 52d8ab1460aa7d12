// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/exponential_weights.hpp>

namespace anodiff::samplers {

/// How a second-order step takes the slope of the estimate: at half of its first-order weight, or integrated exactly.
enum class slope_rule { midpoint, heun };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(slope_rule) { return {"midpoint", "heun"}; }

struct dpm_solver_pp_params {
  int order = 2;                            ///< 1 to 3
  slope_rule slope = slope_rule::midpoint;  ///< of second-order steps
  bool low_order_end = true;                ///< runs under 15 steps end with steps of order 2 and 1
  bool compat = false;  ///< third order as the paper and diffusers print it: half the second difference, second order

  static constexpr void fields(auto& self, auto&& field) {
    field("order", self.order);
    field("slope", self.slope);
    field("low_order_end", self.low_order_end);
    field("compat", self.compat);
  }
};

/// Weights of the last `order` clean estimates in the step from level i, in units of alpha', with lambda stretched: by
/// 1 for the probability flow, by 2 for the reverse SDE.
[[nodiscard]] inline node_weights multistep_clean_weights(std::span<const noise_level> levels, std::size_t i,
                                                          std::size_t order, double stretch,
                                                          const dpm_solver_pp_params& p) {
  node_weights nodes = solver::past_nodes(levels, i, order);
  for (auto& n : nodes) n *= stretch;
  const double h = stretch * solver::width(levels, i);
  if (order == 2 && p.slope == slope_rule::midpoint) {
    const double flat = -std::expm1(-h), slope = flat / 2 * h / -nodes[1];
    return {flat + slope, -slope};
  }
  node_weights w = clean_form_weights(h, nodes, order);
  if (order == 3 && p.compat) {  // the second divided difference counts half of what it should
    const auto m = solver::growing_moments(h);
    const double half = m[2] / 2;
    const double a = nodes[1], b = nodes[2];
    w[0] -= half / (a * b);
    w[1] -= half / (a * (a - b));
    w[2] -= half / (b * (b - a));
  }
  return w;
}

/// DPM-Solver++ with many steps of memory. Lu et al. 2022, arXiv:2211.01095, algorithm 2 (order 2) and appendix (order
/// 3). Orders 1, 2 and 3 in the step of lambda; order 1 is DDIM. The printed third order halves the second difference,
/// which makes it second order; here it is exact unless `compat`.
class dpm_solver_pp {
 public:
  using params = dpm_solver_pp_params;
  static constexpr std::string_view name = "dpm_solver_pp";

  explicit dpm_solver_pp(params p = {}) : params_{p} {
    check(p.order >= 1 && p.order <= 3, "samplers::dpm_solver_pp: order must lie in [1, 3], got ", p.order);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return true; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::dpm_solver_pp", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      const noise_level &from = levels[i], &to = levels[i + 1];
      const auto order =
          order_of(static_cast<std::size_t>(params_.order), solver::place_of(levels, i, params_.low_order_end));
      stage s = detail::first_order(from, to);
      if (order > 1) {
        s.clean_weight = 0;
        solver::add_estimates(s, multistep_clean_weights(levels, i, order, 1, params_), to.alpha);
      }
      stages.push_back(s);
    }
    return stages;
  }

 private:
  params params_;
};
static_assert(sampler<dpm_solver_pp>);

}  // namespace anodiff::samplers
