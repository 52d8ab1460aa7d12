// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/sum.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/elbo.hpp>

namespace anodiff::methods {

struct elbo_preset : preset {
  static constexpr std::string_view name = "elbo";
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
  static constexpr scorers::elbo_params scorer{.levels = 20, .repeats = 2};
};

/// The variational bound on −log p, in nats a column (Ho et al. 2020, arXiv:2006.11239, eq. 12; Kingma et al. 2021,
/// arXiv:2107.00630): the density score of a diffusion model without an ODE.
template <engine Engine>
using elbo = detector<elbo_preset, schedules::linear, models::mlp<Engine>, scorers::elbo, aggregation::sum>;

}  // namespace anodiff::methods
