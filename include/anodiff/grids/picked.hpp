// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/grid.hpp>

namespace anodiff::grids {

/// The levels at rising positions of a schedule, returned noisiest first. `position(i)` serves i = 0 … steps − 1.
template <class Position>
[[nodiscard]] std::vector<noise_level> picked(std::string_view who, std::span<const noise_level> schedule, index steps,
                                              Position position) {
  check(steps >= 1 && steps <= static_cast<index>(schedule.size()), who, ": steps must lie in [1, ", schedule.size(),
        "], the levels of the schedule in reach, got ", steps);
  std::vector<noise_level> levels;
  levels.reserve(static_cast<std::size_t>(steps) + 1);
  for (index i = steps - 1; i >= 0; --i) levels.push_back(schedule[static_cast<std::size_t>(position(i))]);
  return levels;
}

}  // namespace anodiff::grids
