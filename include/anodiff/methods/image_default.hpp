// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/z_score.hpp>
#include <anodiff/corruptions/drawn_damage.hpp>
#include <anodiff/methods/picture_detector.hpp>
#include <anodiff/models/conv_unet.hpp>
#include <anodiff/predictions/residual.hpp>
#include <anodiff/preprocessing/local_contrast.hpp>
#include <anodiff/schedules/exploding.hpp>
#include <anodiff/scorers/repair.hpp>

namespace anodiff::methods {

struct image_default_preset : preset {
  static constexpr std::string_view name = "image_default";
  static constexpr training_params training = picture_training;
  static constexpr schedules::exploding_params schedule{.sigma_min = 0.05, .sigma_max = 1};
  static constexpr objectives::squared_error_params objective{.weighting = objectives::loss_weighting::soft_min_snr,
                                                              .gamma = 10};
  static constexpr picture_params picture{.reduce = 2, .scales = 2, .border = 4};
};

/// A network that has learned to take drawn damage and noise away says what it would change in a picture, and how
/// unusual its own activations are, at a fine and a coarse scale.
template <engine Engine>
using image_default =
    picture_detector<image_default_preset, schedules::exploding, models::conv_unet<Engine>, predictions::residual,
                     scorers::repair, aggregation::z_score, preprocessing::local_contrast,
                     recipe<corruptions::drawn_damage, objectives::squared_error>>;

}  // namespace anodiff::methods
