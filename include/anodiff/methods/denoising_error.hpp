// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/z_score.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/denoising_error.hpp>

namespace anodiff::methods {

struct denoising_error_preset : preset {
  static constexpr std::string_view name = "denoising_error";
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
  static constexpr scorers::denoising_error_params scorer{.levels = 10, .repeats = 4, .first = 0.05, .last = 0.6};
};

/// The ε-loss at ten noise levels, four draws each, measured against normal rows: the simplest density score of a
/// diffusion model (Ho et al. 2020, arXiv:2006.11239, eq. 14) with the levels' z-scores of Graham et al. 2023,
/// arXiv:2211.07740.
template <engine Engine>
using denoising_error = detector<denoising_error_preset, schedules::linear, models::mlp<Engine>,
                                 scorers::denoising_error, aggregation::z_score>;

}  // namespace anodiff::methods
