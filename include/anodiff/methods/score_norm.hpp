// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/z_score.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/score_norm.hpp>

namespace anodiff::methods {

struct score_norm_preset : preset {
  static constexpr std::string_view name = "score_norm";
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
};

/// The squared norm of the score of the un-noised row at ten noise levels, each measured against normal rows. The norms
/// are those of Mahmood et al. 2021 (MSMA), arXiv:2010.13132, who put a density over them jointly; here each level is
/// judged alone.
template <engine Engine>
using score_norm =
    detector<score_norm_preset, schedules::linear, models::mlp<Engine>, scorers::score_norm, aggregation::z_score>;

}  // namespace anodiff::methods
