// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/core/check.hpp>
#include <anodiff/core/shape.hpp>
#include <cmath>
#include <span>
#include <vector>

namespace anodiff::scorers {

/// `count` levels of a schedule (least noisy first), least noisy first and evenly spread in lambda, so that sigma /
/// alpha is a geometric sequence: from sigma / alpha = `least` to `most`, both inside the schedule, or over the whole
/// of it but for a last level without signal. Levels between two of the schedule's lie on the path between them.
[[nodiscard]] inline std::vector<noise_level> even_in_lambda(std::span<const noise_level> schedule, index count,
                                                             double least = 0, double most = 0) {
  if (schedule.size() > 1 && schedule.back().alpha == 0) schedule = schedule.first(schedule.size() - 1);
  const double clear = least > 0 ? -std::log(least) : schedule.front().lambda();
  const double noisy = most > 0 ? -std::log(most) : schedule.back().lambda();
  constexpr double rounding = 1e-9;
  check(clear <= schedule.front().lambda() + rounding && noisy >= schedule.back().lambda() - rounding && noisy <= clear,
        "scorers: noise to signal from ", std::exp(-clear), " to ", std::exp(-noisy), " is wanted, the schedule has ",
        std::exp(-schedule.front().lambda()), " to ", std::exp(-schedule.back().lambda()));
  std::vector<noise_level> out;
  for (index i = 0; i < count; ++i) {
    const double lambda =
        count == 1 ? noisy : std::lerp(clear, noisy, static_cast<double>(i) / static_cast<double>(count - 1));
    const auto next = std::ranges::find_if(schedule, [&](const noise_level& l) { return l.lambda() <= lambda; });
    if (next == schedule.begin())
      out.push_back(schedule.front());
    else if (next == schedule.end())
      out.push_back(schedule.back());
    else
      out.push_back(next->lambda() == lambda ? *next : between(*next, *std::prev(next), lambda));
  }
  return out;
}

}  // namespace anodiff::scorers
