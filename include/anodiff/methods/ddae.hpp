// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/predictions/clean.hpp>
#include <anodiff/scorers/denoising_error.hpp>

namespace anodiff::methods {

struct ddae_preset : preset {
  static constexpr std::string_view name = "ddae";
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
  static constexpr scorers::denoising_error_params scorer{
      .levels = 5, .repeats = 4, .first = 0.02, .last = 0.2, .of = scorers::error_of::clean};
};

/// A denoising autoencoder that is told how noisy its row is: a network that gives the clean row, and its squared error
/// at five low levels. After DDAE, 2025, arXiv:2508.00758, whose authors find a linear schedule and little noise best
/// where training rows are normal; their contrastive term is left out, and the sizes are this library's own.
template <engine Engine>
using ddae =
    detector<ddae_preset, schedules::linear, models::mlp<Engine>, predictions::clean, scorers::denoising_error>;

}  // namespace anodiff::methods
