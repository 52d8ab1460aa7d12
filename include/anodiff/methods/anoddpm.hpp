// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/corruptions/simplex.hpp>
#include <anodiff/distances/l2.hpp>
#include <anodiff/methods/picture_detector.hpp>
#include <anodiff/models/conv_unet.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace anodiff::methods {

struct anoddpm_preset : preset {
  static constexpr std::string_view name = "anoddpm";
  static constexpr anodiff::start start = anodiff::start::noised(0.25);
  static constexpr double clip = 1;
  static constexpr training_params training = picture_training;
};

/// Wyatt et al. 2022 (AnoDDPM), CVPR workshops: training, and the start at step 250 of 1000, with simplex noise; β from
/// 1e-4 to 0.02, noise prediction, squared difference. The run back is DDIM in ten calls, which draws no noise, where
/// the paper's is ancestral with simplex noise in 250. Published is a Dice on a small set of the authors' own; no
/// figure on a shared set.
template <engine Engine>
using anoddpm = picture_detector<anoddpm_preset, models::conv_unet<Engine>, scorers::reconstruction<distances::l2>,
                                 recipe<corruptions::simplex, objectives::squared_error>>;

}  // namespace anodiff::methods
