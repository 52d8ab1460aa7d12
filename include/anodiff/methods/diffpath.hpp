// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/z_score.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/diffpath.hpp>

namespace anodiff::methods {

struct diffpath_preset : preset {
  static constexpr std::string_view name = "diffpath";
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
};

/// Six statistics of the path on which DDIM inversion takes a row to noise, each measured against normal rows. Heng et
/// al. 2024, arXiv:2405.11881, put a density over the six jointly; here each is judged alone.
template <engine Engine>
using diffpath =
    detector<diffpath_preset, schedules::linear, models::mlp<Engine>, scorers::diffpath, aggregation::z_score>;

}  // namespace anodiff::methods
