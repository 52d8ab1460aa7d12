// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/churn.hpp>

namespace anodiff::samplers {

/// The variable of integration: EDM's ratio sigma / alpha, or the share sigma / (alpha + sigma), in which paths of flow
/// matching are straight and pure noise is finitely far away.
enum class heun_variable { ratio, share };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(heun_variable) { return {"ratio", "share"}; }

struct heun_params : churn_params {
  heun_variable variable = heun_variable::ratio;  ///< of integration

  static constexpr void fields(auto& self, auto&& field) {
    churn_params::fields(self, field);
    field("variable", self.variable);
  }
};

/// Heun's method in sigma / alpha, with churn: the sampler of EDM. Karras et al. 2022, arXiv:2206.00364, algorithms 1
/// and
/// 2. Second order in the step of lambda, two calls a step. A step over which sigma / alpha falls by more than 1e5, as
/// to sigma = 0 or from alpha = 0, is Euler's, with one call: the correction would keep no digit of a float.
class heun {
 public:
  using params = heun_params;
  static constexpr std::string_view name = "heun";

  explicit heun(params p = {}) : params_{p} { solver::check_churn("samplers::heun", p); }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return params_.churn == 0; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::heun", levels);
    const auto starts = solver::churned(levels, params_);
    std::vector<stage> stages;
    stages.reserve(2 * levels.size() - 2);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      const noise_level &from = starts[i], &to = levels[i + 1];
      stages.push_back(detail::first_order(from, to));
      if (to.sigma * scale(from) > 1e-5 * from.sigma * scale(to)) {
        stages.back().save_x = true;
        stages.push_back(correction(from, to));
      }
      solver::raise(stages.back(), to, starts[i + 1], params_.noise);
    }
    return stages;
  }

 private:
  [[nodiscard]] double scale(const noise_level& l) const noexcept {
    return params_.variable == heun_variable::ratio ? l.alpha : l.alpha + l.sigma;
  }
  /// With y = x / scale and r = sigma / scale: y' = y + (r' − r) (d + d') / 2, d = (y − clean) / r.
  [[nodiscard]] stage correction(const noise_level& from, const noise_level& to) const noexcept {
    const double fall = to.sigma * scale(from) / (scale(to) * from.sigma);  // r' / r
    stage s{.at = to};
    s.saved_weight = scale(to) / scale(from) * (1 + fall) / 2;
    s.past_weight[0] = scale(to) * (1 - fall) / 2;
    s.x_weight = (1 - 1 / fall) / 2;
    s.clean_weight = scale(to) * (1 / fall - 1) / 2;
    return s;
  }
  params params_;
};
static_assert(sampler<heun>);

}  // namespace anodiff::samplers
