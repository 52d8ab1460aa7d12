// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/objective.hpp>
#include <anodiff/ops/squared_error.hpp>
#include <array>
#include <cmath>

namespace anodiff::objectives {

/// uniform: every level's loss on F counts alike (Ho et al. 2020, eq. 14). min_snr: the loss on x̂_0 counts min(SNR, γ),
/// so that no level drowns the others (Hang et al. 2023, arXiv:2303.09556, eq. 7, carried over to any prediction).
/// soft_min_snr: SNR γ / (SNR + γ), the same without its corner (Crowson et al. 2024, arXiv:2401.11605, section 3.4).
enum class loss_weighting { uniform, min_snr, soft_min_snr };
[[nodiscard]] constexpr std::array<std::string_view, 3> names_of(loss_weighting) {
  return {"uniform", "min_snr", "soft_min_snr"};
}

struct squared_error_params {
  loss_weighting weighting = loss_weighting::uniform;
  double gamma = 5;  ///< cap of min_snr and soft_min_snr; above 0

  static constexpr void fields(auto& self, auto&& field) {
    field("weighting", self.weighting);
    field("gamma", self.gamma);
  }
};

/// Mean squared error of the network's output against the prediction's target.
class squared_error {
 public:
  using params = squared_error_params;
  static constexpr std::string_view name = "squared_error";

  explicit squared_error(params p = {}) : params_{p} {
    check(p.gamma > 0, "objectives::squared_error: gamma must be above 0, got ", p.gamma);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  [[nodiscard]] double weigh(noise_level level, double clean_per_output) const noexcept {
    if (params_.weighting == loss_weighting::uniform) return 1;
    // where no signal is left SNR (dx̂_0/dF)² is taken in the limit: 1 for ε, whose x̂_0 is divided by alpha, 0 for
    // others
    if (level.alpha == 0) return std::isinf(clean_per_output) ? 1 : 0;
    const double snr = level.alpha * level.alpha / (level.sigma * level.sigma);
    const double capped = params_.weighting == loss_weighting::min_snr ? std::min(snr, params_.gamma)
                                                                       : params_.gamma / (1 + params_.gamma / snr);
    return capped * clean_per_output * clean_per_output;
  }
  template <class Engine>
  void measure(Engine& engine, const objective_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    engine.run(ops::squared_error<real>{b.output, b.target, b.weight, b.level, b.row_loss, b.gradient, b.rows,
                                        b.row_size, real{1} / static_cast<real>(b.rows)});
  }

 private:
  params params_;
};

}  // namespace anodiff::objectives
