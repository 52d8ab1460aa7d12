// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/corruptions/masked.hpp>
#include <anodiff/distances/l1.hpp>
#include <anodiff/methods/picture_detector.hpp>
#include <anodiff/models/conv_unet.hpp>
#include <anodiff/predictions/clean.hpp>
#include <anodiff/samplers/one_step.hpp>
#include <anodiff/schedules/cosine.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace anodiff::methods {

struct mddpm_preset : preset {
  static constexpr std::string_view name = "mddpm";
  static constexpr anodiff::start start = anodiff::start::noised(0.5);
  static constexpr double clip = 1;
  static constexpr training_params training = picture_training;
};

/// Iqbal et al. 2023 (mDDPM), arXiv:2305.19867: up to five boxes are blotted out of a picture before it is noised with
/// simplex noise under the cosine schedule, and a network learns to give the whole clean picture; scoring blots
/// nothing: one call at step 500 of 1000, |x − x̂_0|. The paper's Dice is on brain MRI with masks of the brain; no
/// figure on a set that is here.
template <engine Engine>
using mddpm = picture_detector<mddpm_preset, schedules::cosine, models::conv_unet<Engine>, predictions::clean,
                               samplers::one_step, scorers::reconstruction<distances::l1>,
                               recipe<corruptions::masked<corruptions::simplex>, objectives::squared_error>>;

}  // namespace anodiff::methods
