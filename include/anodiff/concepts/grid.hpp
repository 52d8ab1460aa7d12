// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <span>
#include <vector>

namespace anodiff {

namespace part {
template <class G>
concept picks_levels = requires(const G g, std::span<const noise_level> schedule, index steps) {
  { g.pick(schedule, steps) } -> std::same_as<std::vector<noise_level>>;
};
}  // namespace part

/// Where to step: from a schedule (least noisy first) the levels of a run, noisiest first, without the clean end.
/// Laws: exactly `steps` levels; sigma / alpha falls strictly; each alpha and sigma lies within the schedule's range.
/// Throws invalid_argument unless 1 <= steps <= schedule.size().
template <class G>
concept grid = policy<G> && part::picks_levels<G>;

}  // namespace anodiff
