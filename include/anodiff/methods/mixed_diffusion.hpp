// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/corruptions/gaussian_multinomial.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/objectives/mixed_error.hpp>
#include <anodiff/preprocessing/classes.hpp>
#include <anodiff/scorers/mixed_denoising_error.hpp>

namespace anodiff::methods {

struct mixed_diffusion_preset : preset {
  static constexpr std::string_view name = "mixed_diffusion";
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
};

/// Diffusion for rows of numbers and categories, Gaussian and multinomial as in TabDDPM (Kotelnikov et al. 2022,
/// arXiv:2209.15421), as a detector: how wrong the network is about the noise of each number, and how surprised by the
/// class of each category, at ten levels. The sizes are this library's own.
template <engine Engine>
using mixed_diffusion =
    detector<mixed_diffusion_preset, schedules::linear, models::mlp<Engine>, preprocessing::classes,
             recipe<corruptions::gaussian_multinomial, objectives::mixed_error>, scorers::mixed_denoising_error>;

}  // namespace anodiff::methods
