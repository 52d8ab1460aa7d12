// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>
#include <cmath>

namespace anodiff::predictions {

struct edm_params {
  double data_sd = 0.5;  ///< σ_data, standard deviation of the data; greater than 0

  static constexpr void fields(auto& self, auto&& field) { field("data_sd", self.data_sd); }
};

/// The preconditioned network: x̂_0 = c_skip x_t / alpha + c_out F(c_in x_t / alpha), with input and output of unit
/// variance for data of standard deviation data_sd. Karras et al. 2022, arXiv:2206.00364, eq. 7 and table 1, written in
/// alpha and sigma, so that it serves any path, to alpha = 0. Their loss weight, 1 / c_out² on x̂_0, is the same weight
/// for every level on F; what they tell the network of a level, c_noise = ln(sigma / alpha) / 4, is its place in a
/// schedule that is even in ln sigma. With data_sd = 1 on a variance-preserving path it is velocity but for the sign.
class edm {
 public:
  using params = edm_params;
  static constexpr std::string_view name = "edm";
  /// Whether x̂_0 is lost where alpha = 0, so that a schedule that ends in pure noise cannot be used with it.
  static constexpr bool needs_signal = false;

  explicit edm(params p = {}) : params_{p} {
    check(p.data_sd > 0 && std::isfinite(p.data_sd), "predictions::edm: data_sd must be above 0, got ", p.data_sd);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] mixture target(noise_level l) const noexcept {
    const double signal = l.alpha * params_.data_sd, total = std::hypot(signal, l.sigma);
    return {l.sigma / (params_.data_sd * total), -signal / total};
  }
  [[nodiscard]] mixture fold(noise_level l) const noexcept {
    const double signal = l.alpha * params_.data_sd, total = std::hypot(signal, l.sigma);
    return {signal / total * params_.data_sd / total, l.sigma * params_.data_sd / total};
  }
  /// c_in / alpha.
  [[nodiscard]] double input_scale(noise_level l) const noexcept {
    return 1 / std::hypot(l.alpha * params_.data_sd, l.sigma);
  }

 private:
  params params_;
};
static_assert(prediction<edm>);

}  // namespace anodiff::predictions
