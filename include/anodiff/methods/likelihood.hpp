// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/scorers/likelihood.hpp>

namespace anodiff::methods {

struct likelihood_preset : preset {
  static constexpr std::string_view name = "likelihood";
  static constexpr training_params training{.steps = 1500, .batch = 128};
  static constexpr models::mlp_params model{.width = 128, .layers = 3};
  static constexpr scorers::likelihood_params scorer{.steps = 15, .probes = 4, .least = 0.05};
};

/// The exact density of a diffusion model, −log p in nats a column by the probability-flow ODE: Song et al. 2021,
/// arXiv:2011.13456, section 4.3. The rows are blurred by a twentieth of a deviation, for columns of few values have no
/// density.
template <engine Engine>
using likelihood = detector<likelihood_preset, schedules::linear, models::mlp<Engine>, scorers::likelihood>;

}  // namespace anodiff::methods
