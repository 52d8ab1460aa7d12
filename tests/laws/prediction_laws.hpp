// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/predictions/clean.hpp>
#include <anodiff/predictions/edm.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/predictions/flow.hpp>
#include <anodiff/predictions/learned.hpp>
#include <anodiff/predictions/learned_range.hpp>
#include <anodiff/predictions/residual.hpp>
#include <anodiff/predictions/score.hpp>
#include <anodiff/predictions/velocity.hpp>
#include <cmath>
#include "policy_laws.hpp"

namespace laws {

using all_predictions =
    std::tuple<anodiff::predictions::epsilon, anodiff::predictions::clean, anodiff::predictions::velocity,
               anodiff::predictions::score, anodiff::predictions::edm, anodiff::predictions::flow,
               anodiff::predictions::residual, anodiff::predictions::learned<>,
               anodiff::predictions::learned_range<anodiff::predictions::velocity>>;

/// |x̂_0 − x_0| where F is the true target, as share of the terms that are added.
template <anodiff::prediction P>
[[nodiscard]] double inversion_error(const P& prediction, const anodiff::noise_level& level, double clean,
                                     double noise) {
  const double x = level.alpha * clean + level.sigma * noise;
  const auto target = prediction.target(level);
  const auto fold = prediction.fold(level);
  const double f = target.first * clean + target.second * noise;
  const double terms = std::abs(fold.first) * (std::abs(level.alpha * clean) + std::abs(level.sigma * noise)) +
                       std::abs(fold.second) * (std::abs(target.first * clean) + std::abs(target.second * noise)) +
                       std::abs(clean);
  return std::abs(fold.first * x + fold.second * f - clean) / terms;
}

}  // namespace laws
