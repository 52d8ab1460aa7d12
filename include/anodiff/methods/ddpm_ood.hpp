// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/z_score.hpp>
#include <anodiff/distances/l2.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/schedules/scaled_linear.hpp>
#include <anodiff/scorers/several_starts.hpp>

namespace anodiff::methods {

struct ddpm_ood_preset : preset {
  static constexpr std::string_view name = "ddpm_ood";
  static constexpr anodiff::start start = anodiff::start::noised(0.5);
  static constexpr index steps = 20;
  static constexpr scorers::several_starts_params scorer{.starts = 20};
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr schedules::scaled_linear_params schedule{.beta_first = 0.0015, .beta_last = 0.0195};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
};

/// Rebuilds from several noise levels, each distance as a z-score over normal rows, and their mean. Graham et al. 2023,
/// arXiv:2211.07740, whose schedule this is; they take 25 starts of a run of 100 steps over the whole schedule, here
/// twenty of twenty steps over its first half: all rows see the same noise, and five starts left the marks of their
/// five draws on every score.
template <engine Engine>
using ddpm_ood = detector<ddpm_ood_preset, schedules::scaled_linear, models::mlp<Engine>,
                          scorers::several_starts<distances::l2>, aggregation::z_score>;

}  // namespace anodiff::methods
