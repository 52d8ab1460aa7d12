// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/joint_density.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/score_norm.hpp>

namespace anodiff::methods {

struct msma_preset : preset {
  static constexpr std::string_view name = "msma";
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
};

/// Multiscale score matching: the norms of the score of the un-noised row at ten noise levels, and the density of all
/// ten together over normal rows. Mahmood et al. 2021 (MSMA), arXiv:2010.13132, whose figures are for pictures.
template <engine Engine>
using msma =
    detector<msma_preset, schedules::linear, models::mlp<Engine>, scorers::score_norm, aggregation::joint_density>;

}  // namespace anodiff::methods
