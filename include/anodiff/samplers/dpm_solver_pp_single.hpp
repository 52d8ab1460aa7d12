// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/dpm_solver_pp.hpp>

namespace anodiff::samplers {

struct dpm_solver_pp_single_params {
  int order = 2;                            ///< 2 or 3: levels taken by one step
  slope_rule slope = slope_rule::midpoint;  ///< of second-order stages

  static constexpr void fields(auto& self, auto&& field) {
    field("order", self.order);
    field("slope", self.slope);
  }
};

/// DPM-Solver++ without memory of earlier steps: a step spans `order` levels of the run and calls the network at each.
/// Lu et al. 2022, arXiv:2211.01095, algorithm 1 (2S), and the third order of arXiv:2206.00927, algorithm 2, in the
/// clean estimate. Second order in the step of lambda over any levels; third where a step's inner levels lie at 1/3 and
/// 2/3. Levels that fill no step, the step from alpha = 0 and the one to sigma = 0 are taken with lower order.
class dpm_solver_pp_single {
 public:
  using params = dpm_solver_pp_single_params;
  static constexpr std::string_view name = "dpm_solver_pp_single";

  explicit dpm_solver_pp_single(params p = {}) : params_{p} {
    check(p.order == 2 || p.order == 3, "samplers::dpm_solver_pp_single: order must be 2 or 3, got ", p.order);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return true; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::dpm_solver_pp_single", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    std::size_t end = levels.size() - 1;  // the last level that a step of high order can reach
    if (levels[end].sigma == 0) --end;
    std::size_t i = 0;
    while (i + 1 < levels.size()) {
      const std::size_t room = i < end ? end - i : 1;
      const std::size_t order = levels[i].alpha == 0 ? 1 : std::min(static_cast<std::size_t>(params_.order), room);
      for (std::size_t j = 0; j < order; ++j) stages.push_back(part(levels, i, j, order));
      i += order;
    }
    return stages;
  }

 private:
  /// Stage j of a step that starts at level i.
  [[nodiscard]] stage part(std::span<const noise_level> levels, std::size_t i, std::size_t j,
                           std::size_t order) const noexcept {
    const noise_level &from = levels[i], &to = levels[i + j + 1];
    stage s{.at = levels[i + j]};
    s.save_x = j == 0 && order > 1;
    const double shrink = to.sigma / from.sigma;
    (j == 0 ? s.x_weight : s.saved_weight) = shrink;
    if (j == 0) {
      s.clean_weight = to.alpha - shrink * from.alpha;
      return s;
    }
    // a line through the step's first estimate and the newest one
    const double start = from.lambda();
    node_weights nodes{};
    nodes[1] = levels[i + j].lambda() - start;
    const double h = to.lambda() - start;
    node_weights w = clean_form_weights(h, nodes, 2);
    if (j == 1 && params_.slope == slope_rule::midpoint) {
      const double flat = -std::expm1(-h), slope = flat / 2 * h / nodes[1];
      w = {flat - slope, slope};
    }
    s.past_weight[j - 1] = to.alpha * w[0];
    s.clean_weight = to.alpha * w[1];
    return s;
  }
  params params_;
};
static_assert(sampler<dpm_solver_pp_single>);

}  // namespace anodiff::samplers
