// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/objectives/squared_error.hpp>

namespace anodiff::objectives {

struct hybrid_params {
  double bound = 1e-3;  ///< the paper's λ, of the variational bound, which is the sum over all levels; at least 0
  loss_weighting weighting = loss_weighting::uniform;
  double gamma = 5;  ///< cap of min_snr and soft_min_snr; above 0

  static constexpr void fields(auto& self, auto&& field) {
    field("bound", self.bound);
    field("weighting", self.weighting);
    field("gamma", self.gamma);
  }
};

/// Squared error of F, and λ times the variational bound, which moves the variance alone: F counts there as a constant.
/// Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 16. A level's bound is the divergence of the reverse step from the
/// true one, in nats a value, at the cleanest level −log p(x_0) of a Gaussian instead.
class hybrid {
 public:
  using params = hybrid_params;
  static constexpr std::string_view name = "hybrid";

  explicit hybrid(params p = {})
      : params_{p}, levels_{squared_error_params{.weighting = p.weighting, .gamma = p.gamma}} {
    check(p.bound >= 0 && p.bound <= 1e6, "objectives::hybrid: bound must lie in [0, 1e6], got ", p.bound);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  [[nodiscard]] double weigh(noise_level level, double clean_per_output) const noexcept {
    return levels_.weigh(level, clean_per_output);
  }
  template <class Engine>
  void measure(Engine&, const variance_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    const double count = static_cast<double>(b.row_size), share = 1 / (count * static_cast<double>(b.rows));
    const double factor = params_.bound * static_cast<double>(b.steps);
    for (index i = 0; i < b.rows; ++i) {
      const bound_of_level& bound = b.bound[b.level[i]];
      const auto weight = static_cast<double>(b.weight[b.level[i]]);
      const double half_span = (bound.log_most - bound.log_least) / 2;
      double square = 0, nats = 0;
      for (index e = 0; e < b.row_size; ++e) {
        const index at = 2 * i * b.row_size + 2 * (e - e % b.channels) + e % b.channels;
        const double off = static_cast<double>(b.output[at]) - static_cast<double>(b.target[i * b.row_size + e]);
        const double v = static_cast<double>(b.output[at + b.channels]);
        const double log_variance = bound.log_least + (v + 1) * half_span;
        const double mean_off = bound.off * off;
        const double spread = (bound.decodes ? 0 : std::exp(bound.log_least)) + mean_off * mean_off;
        const double ratio = spread * std::exp(-log_variance);
        square += off * off;
        nats += (log_variance + ratio + (bound.decodes ? log_two_pi : -bound.log_least - 1)) / 2;
        if (b.gradient == nullptr) continue;
        b.gradient[at] = static_cast<real>(2 * weight * share * off);
        b.gradient[at + b.channels] = static_cast<real>(factor * share * (1 - ratio) / 2 * half_span);
      }
      b.row_loss[i] = (weight * square + factor * nats) / count;
    }
  }

 private:
  static constexpr double log_two_pi = 1.8378770664093453;

  params params_;
  squared_error levels_;  // for its weights
};

}  // namespace anodiff::objectives
