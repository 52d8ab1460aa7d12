// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/time_mlp.hpp>
#include <anodiff/objectives/time_regression.hpp>
#include <anodiff/schedules/linear_added.hpp>
#include <anodiff/scorers/diffusion_time.hpp>

namespace anodiff::methods {

struct dte_gaussian_preset : preset {
  static constexpr std::string_view name = "dte_gaussian";
  static constexpr training_params training{
      .steps = 4000, .batch = 64, .levels = 0, .rate = 1e-4, .final_rate = 1, .weight_decay = 5e-4};
  static constexpr models::time_mlp_params model{.outputs = 1};
};

/// dte_c with the place in the schedule as a number, learned by its squared error: the Gaussian variant of Livernoche
/// et al. 2023, arXiv:2305.18593. No figure is published over all sets.
template <engine Engine>
using dte_gaussian = detector<dte_gaussian_preset, schedules::linear_added, models::time_mlp<Engine>,
                              scorers::diffusion_time<objectives::time_regression>,
                              recipe<corruptions::gaussian, objectives::time_regression>>;

}  // namespace anodiff::methods
