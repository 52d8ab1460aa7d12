// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/churn.hpp>

namespace anodiff::samplers {

/// Euler's method in sigma / alpha, with churn. Karras et al. 2022, arXiv:2206.00364, algorithm 2 without its
/// correction. First order in the step of lambda; without churn it is DDIM. With churn the network sees the state that
/// the noise was added to, as in the paper; diffusers adds the noise after the call.
class euler {
 public:
  using params = churn_params;
  static constexpr std::string_view name = "euler";

  explicit euler(params p = {}) : params_{p} { solver::check_churn("samplers::euler", p); }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return params_.churn == 0; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::euler", levels);
    const auto starts = solver::churned(levels, params_);
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      stage s = detail::first_order(starts[i], levels[i + 1]);
      solver::raise(s, levels[i + 1], starts[i + 1], params_.noise);
      stages.push_back(s);
    }
    return stages;
  }

 private:
  params params_;
};
static_assert(sampler<euler>);

}  // namespace anodiff::samplers
