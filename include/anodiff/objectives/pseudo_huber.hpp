// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/ops/pseudo_huber.hpp>

namespace anodiff::objectives {

struct pseudo_huber_params {
  /// Weighted error from which on it counts by its size and no longer by its square, in units of the sample; above 0.
  double corner = 1;
  loss_weighting weighting = loss_weighting::uniform;
  double gamma = 5;  ///< cap of min_snr and soft_min_snr; above 0

  static constexpr void fields(auto& self, auto&& field) {
    field("corner", self.corner);
    field("weighting", self.weighting);
    field("gamma", self.gamma);
  }
};

/// 2 c² (√(1 + u² / c²) − 1) of the weighted error u (Charbonnier et al. 1997; Song & Dhariwal 2023, arXiv:2310.14189,
/// section 3.3): squared error without the power of few large errors, of what cannot be known, over the many small
/// ones.
class pseudo_huber {
 public:
  using params = pseudo_huber_params;
  static constexpr std::string_view name = "pseudo_huber";

  explicit pseudo_huber(params p = {})
      : params_{p}, levels_{squared_error_params{.weighting = p.weighting, .gamma = p.gamma}} {
    check(p.corner > 0 && p.corner <= 1e9, "objectives::pseudo_huber: corner must lie in (0, 1e9], got ", p.corner);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  [[nodiscard]] double weigh(noise_level level, double clean_per_output) const noexcept {
    return levels_.weigh(level, clean_per_output);
  }
  template <class Engine>
  void measure(Engine& engine, const objective_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    engine.run(ops::pseudo_huber<real>{b.output, b.target, b.weight, b.level, b.row_loss, b.gradient, b.rows,
                                       b.row_size, static_cast<real>(params_.corner),
                                       real{1} / static_cast<real>(b.rows)});
  }

 private:
  params params_;
  squared_error levels_;  // for its weights
};

}  // namespace anodiff::objectives
