// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/tensor.hpp>
#include <cstdint>
#include <limits>
#include <vector>

namespace anodiff::metrics {

/// Pixels that touch one another, and the box around them: rows [top, bottom) and columns [left, right).
struct component {
  index pixels = 0;
  index top = 0, left = 0, bottom = 0, right = 0;
  [[nodiscard]] bool operator==(const component&) const = default;
};

/// All components of a mask, in the order of their first pixels, row after row.
struct component_map {
  tensor<std::int32_t, 2> number;  ///< (h, w): 0 outside, k + 1 in parts[k]
  std::vector<component> parts;
};

/// Connected components of the pixels that are not 0; mask (h, w). A pixel touches its eight neighbours, as in the
/// evaluation of MVTec AD (Bergmann et al. 2021), so that a thin slanted scratch is one region. Union by the first
/// pixel with halved paths (Tarjan 1975), two passes over the rows. Throws memory_error from 2^31 pixels on.
[[nodiscard]] inline component_map connected_components(tensor_view<const std::uint8_t, 2> mask) {
  check<memory_error>(mask.size() <= std::numeric_limits<std::int32_t>::max(),
                      "connected_components: needs fewer than 2^31 pixels, got ", mask.size());
  const index height = mask.extent(0), width = mask.extent(1);
  component_map out{tensor<std::int32_t, 2>{mask.extents()}, {}};
  std::vector<std::int32_t> parent{0};  // of preliminary numbers; a root is its own and the lowest of its tree
  const auto root = [&](std::int32_t i) {
    const auto at = [&](std::int32_t k) -> std::int32_t& { return parent[static_cast<std::size_t>(k)]; };
    for (; at(i) != i; i = at(i)) at(i) = at(at(i));
    return i;
  };
  for (index i = 0; i < height; ++i)
    for (index j = 0; j < width; ++j) {
      if (mask(i, j) == 0) continue;
      std::int32_t mine = 0;
      const auto touch = [&](index row, index column) {
        if (row < 0 || column < 0 || column >= width || out.number(row, column) == 0) return;
        const auto theirs = root(out.number(row, column));
        if (mine != 0) parent[static_cast<std::size_t>(std::max(mine, theirs))] = std::min(mine, theirs);
        mine = mine == 0 ? theirs : std::min(mine, theirs);
      };
      touch(i, j - 1);
      for (index step = -1; step <= 1; ++step) touch(i - 1, j + step);
      if (mine == 0) {
        mine = static_cast<std::int32_t>(parent.size());
        parent.push_back(mine);
      }
      out.number(i, j) = mine;
    }
  std::vector<std::int32_t> final_number(parent.size(), 0);
  for (index i = 0; i < height; ++i)
    for (index j = 0; j < width; ++j) {
      if (out.number(i, j) == 0) continue;
      auto& number = final_number[static_cast<std::size_t>(root(out.number(i, j)))];
      if (number == 0) {
        out.parts.push_back({0, i, j, i, j});
        number = static_cast<std::int32_t>(out.parts.size());
      }
      auto& part = out.parts[static_cast<std::size_t>(number - 1)];
      part.pixels += 1;
      part.left = std::min(part.left, j);
      part.bottom = i + 1;
      part.right = std::max(part.right, j + 1);
      out.number(i, j) = number;
    }
  return out;
}

}  // namespace anodiff::metrics
