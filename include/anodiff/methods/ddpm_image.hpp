// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/distances/l1.hpp>
#include <anodiff/methods/picture_detector.hpp>
#include <anodiff/models/conv_unet.hpp>
#include <anodiff/schedules/cosine.hpp>
#include <anodiff/scorers/reconstruction.hpp>

namespace anodiff::methods {

struct ddpm_image_preset : preset {
  static constexpr std::string_view name = "ddpm_image";
  static constexpr anodiff::start start = anodiff::start::noised(0.25);
  static constexpr double clip = 1;
  static constexpr training_params training = picture_training;
};

/// The plain diffusion baseline for pictures: a network that has learned the noise (Ho et al. 2020, arXiv:2006.11239,
/// eq. 14) under the cosine schedule (Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 17) rebuilds a picture from a
/// quarter of the schedule by DDIM; the map is |x − x̂_0|, the score its maximum. A network that knows noise alone
/// copies part of a defect too: pipeline/identity_shortcut.hpp measures how much. Expect less than of pddpm, whose
/// authors (Behrendt et al. 2023, arXiv:2303.03758, abstract) state 25.1 % relative improvement over existing
/// baselines.
template <engine Engine>
using ddpm_image = picture_detector<ddpm_image_preset, schedules::cosine, models::conv_unet<Engine>,
                                    scorers::reconstruction<distances::l1>>;

}  // namespace anodiff::methods
