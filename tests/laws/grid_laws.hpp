// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/beta.hpp>
#include <anodiff/grids/karras.hpp>
#include <anodiff/grids/leading.hpp>
#include <anodiff/grids/linspace.hpp>
#include <anodiff/grids/log_snr.hpp>
#include <anodiff/grids/trailing.hpp>
#include "policy_laws.hpp"

namespace laws {

/// Grids that pick levels of the schedule, and those that place levels between them.
using picking_grids = std::tuple<anodiff::grids::leading, anodiff::grids::trailing, anodiff::grids::linspace>;
using placing_grids = std::tuple<anodiff::grids::karras, anodiff::grids::log_snr, anodiff::grids::beta>;
using all_grids = decltype(std::tuple_cat(picking_grids{}, placing_grids{}));

/// The laws of concepts/grid.hpp for one schedule and number of steps; false where one is broken.
template <anodiff::grid G>
[[nodiscard]] bool grid_holds(const G& grid, std::span<const anodiff::noise_level> schedule, index steps) {
  const auto levels = grid.pick(schedule, steps);
  if (levels.size() != static_cast<std::size_t>(steps)) return false;
  const auto [low, high] = std::minmax_element(schedule.begin(), schedule.end(),
                                               [](const auto& a, const auto& b) { return a.sigma < b.sigma; });
  const auto [faint, clear] = std::minmax_element(schedule.begin(), schedule.end(),
                                                  [](const auto& a, const auto& b) { return a.alpha < b.alpha; });
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto& l = levels[i];
    if (l.sigma < low->sigma || l.sigma > high->sigma || l.alpha < faint->alpha || l.alpha > clear->alpha) return false;
    if (i > 0 && !(l.sigma * levels[i - 1].alpha < levels[i - 1].sigma * l.alpha)) return false;
  }
  return true;
}

}  // namespace laws
