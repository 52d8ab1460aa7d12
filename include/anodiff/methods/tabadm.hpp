// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/sum.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/objectives/batch_rejection.hpp>
#include <anodiff/scorers/denoising_error.hpp>

namespace anodiff::methods {

struct tabadm_preset : preset {
  static constexpr std::string_view name = "tabadm";
  static constexpr training_params training{.steps = 1500, .batch = 256, .levels = 8};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
  static constexpr objectives::batch_rejection_params objective{.rejected = 0.1};
  static constexpr scorers::denoising_error_params scorer{.levels = 20, .repeats = 4, .first = 0.02, .last = 1};
};

/// For training rows that hold anomalies: each step leaves out the tenth of its rows that the network knows least, and
/// the score is the ε-loss summed over levels. Zamberg et al. 2023 (TabADM), arXiv:2307.12336, whose numbers are not
/// stated here: the sizes are this library's own.
template <engine Engine>
using tabadm = detector<tabadm_preset, recipe<corruptions::gaussian, objectives::batch_rejection>, models::mlp<Engine>,
                        scorers::denoising_error, aggregation::sum>;

}  // namespace anodiff::methods
