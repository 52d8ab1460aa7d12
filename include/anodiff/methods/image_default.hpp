// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/surprise.hpp>
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
  static constexpr training_params training = [] {
    training_params p = picture_training;
    p.steps = 700;  // of each network; more make it better at normal texture, and no better at what is not
    return p;
  }();
  static constexpr schedules::exploding_params schedule{.sigma_min = 0.05, .sigma_max = 1};
  static constexpr objectives::squared_error_params objective{.weighting = objectives::loss_weighting::soft_min_snr,
                                                              .gamma = 10};
  static constexpr preprocessing::local_contrast_params preprocessing{.whole = 1};
  static constexpr corruptions::drawn_damage_params corruption{.hills = 0};
  static constexpr corruptions::drawn_damage_params coarse_corruption{
      .smallest = 1, .largest = 6, .longest = 20, .hills = 0, .weakest = 0.3, .strongest = 4};
  static constexpr picture_params picture{.reduce = 2, .scales = 2, .coarse_network = true, .surround = 8, .border = 4};
  static constexpr texture_params texture{.scales = 3, .square = 2, .near = 3, .far = 9};
};

/// Networks that have learned to take drawn damage and noise away, and to fill in what is hidden, say what they would
/// change in a picture: one at half its size, in three calls, and one at an eighth of it, in one. Beside
/// them the texture of squares is judged at three sizes, given the ring around each. What is rare on good pictures adds
/// up, pixel by pixel. On magnetic tiles (Huang et al. 2018; good, blowhole, crack) after 700 steps, two
/// minutes of two cores: image AUROC 0.901, pixel AUROC 0.982, AUPRO 0.969 (five seeds).
template <engine Engine>
using image_default =
    picture_detector<image_default_preset, schedules::exploding, models::conv_unet<Engine>, predictions::residual,
                     scorers::repair, aggregation::surprise, preprocessing::local_contrast,
                     recipe<corruptions::drawn_damage, objectives::squared_error>>;

}  // namespace anodiff::methods
