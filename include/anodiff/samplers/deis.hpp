// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/exponential_weights.hpp>

namespace anodiff::samplers {

struct deis_params {
  int order = 3;              ///< 1 to 4
  bool low_order_end = true;  ///< runs under 15 steps end with steps of order 2 and 1

  static constexpr void fields(auto& self, auto&& field) {
    field("order", self.order);
    field("low_order_end", self.low_order_end);
  }
};

/// DEIS: the noise follows a polynomial in log(sigma / alpha) through its past, integrated exactly. Zhang & Chen 2022,
/// arXiv:2204.13902, eq. 14 and 15, in the variable of diffusers' `logrho`. Orders 1 to 4 in the step of lambda; order
/// 1 is DDIM. The step to sigma = 0, and the one from alpha = 0, are of order 1.
class deis {
 public:
  using params = deis_params;
  static constexpr std::string_view name = "deis";

  explicit deis(params p = {}) : params_{p} {
    check(p.order >= 1 && p.order <= 4, "samplers::deis: order must lie in [1, 4], got ", p.order);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return true; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::deis", levels);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      const noise_level &from = levels[i], &to = levels[i + 1];
      const auto order =
          order_of(static_cast<std::size_t>(params_.order), solver::place_of(levels, i, params_.low_order_end));
      stage s = detail::first_order(from, to);
      if (order == 1) {
        if (from.alpha > 0) solver::keep_noise(s);  // from alpha = 0 no later step reads it
      } else {
        s = {.at = from};
        const auto nodes = solver::past_nodes(levels, i, order);
        s.x_weight = to.alpha / from.alpha;
        solver::add_estimates(s, noise_form_weights(solver::width(levels, i), nodes, order),
                              -to.alpha * from.sigma / from.alpha);
        solver::turn_to_noise(s);
      }
      stages.push_back(s);
    }
    return stages;
  }

 private:
  params params_;
};
static_assert(sampler<deis>);

}  // namespace anodiff::samplers
