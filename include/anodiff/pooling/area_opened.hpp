// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/tensor.hpp>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace anodiff::pooling {

/// A map (h, w) without its small peaks: each pixel is lowered to the highest level at which it lies in a region of at
/// least `area` pixels that reach that level, so that for every threshold exactly the regions of that size stay. Area
/// opening (Vincent 1993) by union-find (Meijster and Wilkinson 2002, section 4); a pixel touches its eight neighbours,
/// as in metrics::connected_components. Pixels where counts (h, w) is 0 join nothing; they, and regions that stay too
/// small down to their lowest pixel, take the lowest value that counts. Needs finite values and one pixel that counts.
/// Throws memory_error from 2^31 pixels on.
[[nodiscard]] inline tensor<float, 2> area_opened(tensor_view<const float, 2> map,
                                                  tensor_view<const std::uint8_t, 2> counts, index area) {
  check<memory_error>(map.size() <= std::numeric_limits<std::int32_t>::max(),
                      "area_opened: needs fewer than 2^31 pixels, got ", map.size());
  const index height = map.extent(0), width = map.extent(1);
  const auto value = [&](std::int32_t p) { return map.data()[p]; };
  std::vector<std::int32_t> order;  // from the highest value down
  for (std::int32_t p = 0; p < static_cast<std::int32_t>(map.size()); ++p)
    if (counts.data()[p] != 0) order.push_back(p);
  std::ranges::sort(order, [&](auto a, auto b) { return value(a) != value(b) ? value(a) > value(b) : a < b; });
  const float lowest = value(order.back());

  // of a pixel that has been met: the next one towards its root, or, of a root, minus the pixels of its region
  constexpr std::int32_t not_met = 0;
  std::vector<std::int32_t> state(static_cast<std::size_t>(map.size()), not_met);  // the next one is stored plus 1
  const auto at = [&](std::int32_t p) -> std::int32_t& { return state[static_cast<std::size_t>(p)]; };
  const auto root = [&](std::int32_t p) {
    std::int32_t top = p;
    while (at(top) > 0) top = at(top) - 1;
    while (at(p) > 0) p = std::exchange(at(p), top + 1) - 1;
    return top;
  };
  const auto enough = static_cast<std::int32_t>(std::min<index>(area, map.size()));
  for (const auto p : order) {
    at(p) = -1;
    const index row = p / width, column = p % width;
    for (index i = std::max<index>(0, row - 1); i <= std::min(height - 1, row + 1); ++i)
      for (index j = std::max<index>(0, column - 1); j <= std::min(width - 1, column + 1); ++j) {
        const auto neighbour = static_cast<std::int32_t>(i * width + j);
        if (at(neighbour) == not_met) continue;
        const auto other = root(neighbour);
        if (other == p) continue;
        if (-at(other) >= enough && value(other) != value(p)) {
          at(p) = -enough;  // beside what is large enough above: large enough here
          continue;
        }
        const std::int32_t together = at(p) + at(other);
        at(other) = p + 1;
        at(p) = std::max(together, -enough);
      }
  }
  tensor<float, 2> out{map.extents()};
  std::ranges::fill(out.flat(), lowest);
  for (auto p = order.rbegin(); p != order.rend(); ++p) {  // a root comes before what leads to it
    if (at(*p) > 0)
      out.data()[*p] = out.data()[at(*p) - 1];
    else if (-at(*p) >= enough)
      out.data()[*p] = value(*p);
  }
  return out;
}

}  // namespace anodiff::pooling
