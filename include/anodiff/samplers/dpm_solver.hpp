// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/dpm_solver_pp.hpp>

namespace anodiff::samplers {

struct dpm_solver_params {
  int order = 2;                            ///< 1 to 3
  slope_rule slope = slope_rule::midpoint;  ///< of second-order steps
  bool low_order_end = true;                ///< runs under 15 steps end with steps of order 2 and 1
  bool compat = false;  ///< third order as diffusers has it: half the second difference, which makes it second order

  static constexpr void fields(auto& self, auto&& field) {
    field("order", self.order);
    field("slope", self.slope);
    field("low_order_end", self.low_order_end);
    field("compat", self.compat);
  }
};

/// DPM-Solver with many steps of memory, on the noise. Lu et al. 2022, arXiv:2206.00927, eq. 3.4 with the differences
/// of arXiv:2211.01095, algorithm 2. Orders 1, 2 and 3 in the step of lambda; order 1 is DDIM. Throws invalid_argument
/// where a run starts at alpha = 0 or ends at sigma = 0: its weights would not be finite.
class dpm_solver {
 public:
  using params = dpm_solver_params;
  static constexpr std::string_view name = "dpm_solver";
  static constexpr bool needs_signal = true;

  explicit dpm_solver(params p = {}) : params_{p} {
    check(p.order >= 1 && p.order <= 3, "samplers::dpm_solver: order must lie in [1, 3], got ", p.order);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return true; }
  [[nodiscard]] bool ends_with_noise() const noexcept { return true; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::dpm_solver", levels);
    check(levels.back().sigma > 0,
          "samplers::dpm_solver: the noise form needs a run that ends with noise, got a last sigma of 0: end at the "
          "schedule's cleanest level, or use dpm_solver_pp");
    check(levels.front().alpha > 0,
          "samplers::dpm_solver: the noise form needs a run that starts with signal, got a first alpha of 0: use "
          "dpm_solver_pp");
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      const noise_level &from = levels[i], &to = levels[i + 1];
      const auto order =
          order_of(static_cast<std::size_t>(params_.order), solver::place_of(levels, i, params_.low_order_end));
      stage s = detail::first_order(from, to);
      if (order == 1) {
        solver::keep_noise(s);
      } else {
        s = {.at = from};
        s.x_weight = to.alpha / from.alpha;
        solver::add_estimates(s, weights(levels, i, order), -to.alpha * from.sigma / from.alpha);
        solver::turn_to_noise(s);
      }
      stages.push_back(s);
    }
    return stages;
  }

 private:
  [[nodiscard]] node_weights weights(std::span<const noise_level> levels, std::size_t i, std::size_t order) const {
    const double h = solver::width(levels, i);
    const node_weights nodes = solver::past_nodes(levels, i, order);
    if (order == 2 && params_.slope == slope_rule::midpoint) {
      const double flat = -std::expm1(-h), slope = flat / 2 * h / -nodes[1];
      return {flat + slope, -slope};
    }
    node_weights w = noise_form_weights(h, nodes, order);
    if (order == 3 && params_.compat) {
      const double half = solver::falling_moments(h)[2] / 2;
      const double a = nodes[1], b = nodes[2];
      w[0] -= half / (a * b);
      w[1] -= half / (a * (a - b));
      w[2] -= half / (b * (b - a));
    }
    return w;
  }
  params params_;
};
static_assert(sampler<dpm_solver>);

}  // namespace anodiff::samplers
