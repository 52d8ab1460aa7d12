// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/core/reflected.hpp>
#include <anodiff/formats/resize.hpp>
#include <cmath>

namespace anodiff::preprocessing {

/// What squares of a picture (h, w, c) look like: maps (c + 1, ⌈h / side⌉, ⌈w / side⌉) of each channel's brightness and
/// of the roughness:
///   b = ln(mean I + 0.032),  r = ln(mean |I − mean of its four neighbours| / (mean I + 0.016) + 0.005).
/// Values of I in [0, 1]; side in pixels, at least 1. Throws invalid_argument on another side or an empty picture.
[[nodiscard]] inline tensor<float, 3> texture(tensor_view<const float, 3> picture, index side) {
  check(side >= 1, "preprocessing::texture: side must be at least 1, got ", side);
  check(picture.size() > 0, "preprocessing::texture: needs a picture with a pixel, got shape ",
        to_string(picture.extents()));
  constexpr float dark = 0.016F, flat = 0.005F;
  const index height = picture.extent(0), width = picture.extent(1), channels = picture.extent(2);
  tensor<float, 3> deviation{{height, width, 1}};
  for (index i = 0; i < height; ++i) {
    const float *here = picture.row(i).data(), *above = picture.row(mirrored(i - 1, height)).data(),
                *below = picture.row(mirrored(i + 1, height)).data();
    for (index j = 0; j < width; ++j) {
      const index left = mirrored(j - 1, width) * channels, right = mirrored(j + 1, width) * channels;
      float sum = 0;
      for (index c = 0; c < channels; ++c) {
        const index at = j * channels + c;
        sum += std::abs(here[at] - (above[at] + below[at] + here[left + c] + here[right + c]) / 4);
      }
      deviation.row(i)[static_cast<std::size_t>(j)] = sum;
    }
  }
  const index rows = (height + side - 1) / side, columns = (width + side - 1) / side, squares = rows * columns;
  const auto mean = formats::resize(picture, rows, columns), rough = formats::resize(deviation, rows, columns);
  tensor<float, 3> out{{channels + 1, rows, columns}};
  for (index plane = 0; plane <= channels; ++plane) {
    float* to = out.row(plane).data();
    for (index s = 0; s < squares; ++s) {
      const float* colour = mean.data() + s * channels;
      if (plane < channels) {
        to[s] = std::log(colour[plane] + 2 * dark);
        continue;
      }
      float sum = 0;
      for (index c = 0; c < channels; ++c) sum += colour[c] + dark;
      to[s] = std::log(rough.data()[s] / sum + flat);
    }
  }
  return out;
}

}  // namespace anodiff::preprocessing
