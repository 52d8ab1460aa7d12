// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/grid.hpp>

namespace anodiff::grids {

/// Throws unless 1 <= steps <= schedule.size() − spare, where `spare` levels are left out.
inline void check_steps(std::string_view who, std::span<const noise_level> schedule, index steps, index spare = 0) {
  const index most = static_cast<index>(schedule.size()) - spare;
  check(steps >= 1 && steps <= most, who, ": steps must lie in [1, ", most,
        "], the levels of the schedule in reach, got ", steps);
}

/// The levels at rising positions of a schedule, returned noisiest first. `position(i)` serves i = 0 … steps − 1.
template <class Position>
[[nodiscard]] std::vector<noise_level> picked(std::span<const noise_level> schedule, index steps, Position position) {
  std::vector<noise_level> levels;
  levels.reserve(static_cast<std::size_t>(steps) + 1);
  for (index i = steps - 1; i >= 0; --i) levels.push_back(schedule[static_cast<std::size_t>(position(i))]);
  return levels;
}

}  // namespace anodiff::grids
