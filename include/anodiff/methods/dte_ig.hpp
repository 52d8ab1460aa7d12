// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/time_mlp.hpp>
#include <anodiff/objectives/inverse_gamma.hpp>
#include <anodiff/schedules/linear_added.hpp>
#include <anodiff/scorers/diffusion_time.hpp>

namespace anodiff::methods {

struct dte_ig_preset : preset {
  static constexpr std::string_view name = "dte_ig";
  static constexpr training_params training{
      .steps = 4000, .batch = 64, .levels = 0, .rate = 1e-4, .final_rate = 1, .weight_decay = 5e-4};
  static constexpr models::time_mlp_params model{.outputs = 1};
};

/// DTE-IG, Livernoche et al. 2023, arXiv:2305.18593: dte_c with the noise variance as an inverse gamma law whose scale
/// is learned. Published mean AUROC over 57 sets 77.85.
template <engine Engine>
using dte_ig = detector<dte_ig_preset, schedules::linear_added, models::time_mlp<Engine>,
                        scorers::diffusion_time<objectives::inverse_gamma>,
                        recipe<corruptions::gaussian, objectives::inverse_gamma>>;

}  // namespace anodiff::methods
