// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/ddim.hpp>

namespace anodiff::samplers {

struct euler_ancestral_params {
  double eta = 1;    ///< 0 Euler … 1 as much noise as DDPM draws; [0, 1]
  double noise = 1;  ///< factor of the noise drawn; at least 0

  static constexpr void fields(auto& self, auto&& field) {
    field("eta", self.eta);
    field("noise", self.noise);
  }
};

/// Ancestral sampling in sigma / alpha: a step of Euler's method to less noise than the next level has, and fresh noise
/// for the rest. Song et al. 2021, arXiv:2011.13456, appendix F, as k-diffusion writes it; at noise = 1 it is DDIM with
/// the same eta.
class euler_ancestral {
 public:
  using params = euler_ancestral_params;
  static constexpr std::string_view name = "euler_ancestral";

  explicit euler_ancestral(params p = {}) : params_{p} {
    check(p.eta >= 0 && p.eta <= 1, "samplers::euler_ancestral: eta must lie in [0, 1], got ", p.eta);
    check(p.noise >= 0 && std::isfinite(p.noise), "samplers::euler_ancestral: noise must be at least 0, got ", p.noise);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return params_.eta == 0 || params_.noise == 0; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::euler_ancestral", levels);
    auto stages = ddim{{.eta = params_.eta}}.program(levels);
    for (auto& s : stages) s.noise_weight *= params_.noise;
    return stages;
  }

 private:
  params params_;
};
static_assert(sampler<euler_ancestral>);

}  // namespace anodiff::samplers
