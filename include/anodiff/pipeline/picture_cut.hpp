// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/reflected.hpp>
#include <anodiff/core/tensor.hpp>

namespace anodiff {

/// A rectangle of a picture. It may lie outside, where the picture is reflected.
struct picture_cut {
  index top, left, height, width;
  bool upside_down = false, reversed = false;  ///< the cut is turned over afterwards
};

/// out (height, width, c) = the cut of a picture (h, w, c).
inline void cut(tensor_view<const float, 3> from, const picture_cut& where, float* out) noexcept {
  const index channels = from.extent(2);
  for (index i = 0; i < where.height; ++i) {
    const index line = where.top + (where.upside_down ? where.height - 1 - i : i);
    const float* pixels = from.row(reflected(line, from.extent(0))).data();
    for (index j = 0; j < where.width; ++j, out += channels) {
      const index column = where.left + (where.reversed ? where.width - 1 - j : j);
      std::copy_n(pixels + reflected(column, from.extent(1)) * channels, channels, out);
    }
  }
}

}  // namespace anodiff
