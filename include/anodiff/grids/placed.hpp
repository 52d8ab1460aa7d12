// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/grids/picked.hpp>
#include <array>
#include <cmath>

namespace anodiff::grids {

/// What the network is told of a level that lies between two levels of its schedule. The whole numbers are compat: what
/// diffusers gives to networks, rounded or cut off by solver and grid.
enum class grid_time { exact, rounded, truncated };
[[nodiscard]] constexpr std::array<std::string_view, 3> names_of(grid_time) {
  return {"exact", "rounded", "truncated"};
}

/// Levels at chosen noise-to-signal ratios sigma / alpha, noisiest first, from one end of the schedule to the other; a
/// single step takes the noisiest. ratio(share, least, most) serves the levels between, with share in (0, 1) and the
/// ratios of the ends. Throws invalid_argument where the noisiest level has alpha = 0, whose ratio is infinite.
template <class Ratio>
[[nodiscard]] std::vector<noise_level> placed(std::string_view who, std::span<const noise_level> schedule, index steps,
                                              grid_time time, Ratio ratio) {
  check_steps(who, schedule, steps);
  const noise_level &clear = schedule.front(), &noisy = schedule.back();
  check(noisy.alpha > 0, who,
        ": needs a schedule that ends with signal, since it spreads sigma / alpha, got a last alpha of 0: use "
        "grids::trailing");
  const double least = clear.sigma / clear.alpha, most = noisy.sigma / noisy.alpha;
  std::vector<noise_level> levels{noisy};
  levels.reserve(static_cast<std::size_t>(steps) + 1);
  for (index i = 1; i + 1 < steps; ++i) {
    const double wanted = ratio(static_cast<double>(i) / static_cast<double>(steps - 1), least, most);
    auto above = std::lower_bound(schedule.begin(), schedule.end(), wanted,
                                  [](const noise_level& l, double value) { return l.sigma < value * l.alpha; });
    above = std::clamp(above, schedule.begin() + 1, schedule.end() - 1);
    auto level = between(*above, *(above - 1), -std::log(wanted));
    level.time = std::clamp(level.time, clear.time, noisy.time);
    if (time == grid_time::rounded) level.time = std::nearbyint(level.time);
    if (time == grid_time::truncated) level.time = std::trunc(level.time);
    levels.push_back(level);
  }
  if (steps > 1) levels.push_back(clear);
  return levels;
}

}  // namespace anodiff::grids
