// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/distances/l2.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/samplers/one_step.hpp>
#include <anodiff/scorers/projection_regret.hpp>

namespace anodiff::methods {

struct projection_regret_preset : preset {
  static constexpr std::string_view name = "projection_regret";
  static constexpr anodiff::start start = anodiff::start::noised(0.25);
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
  static constexpr scorers::projection_regret_params scorer{.repeats = 10};
};

/// What one denoising step takes away from a row beyond what it takes from its own result. Choi et al. 2023,
/// arXiv:2312.02615, with the clean estimate of a denoiser in place of a consistency model, and the squared difference
/// in place of LPIPS.
template <engine Engine>
using projection_regret = detector<projection_regret_preset, schedules::linear, models::mlp<Engine>, samplers::one_step,
                                   scorers::projection_regret<distances::l2>>;

}  // namespace anodiff::methods
