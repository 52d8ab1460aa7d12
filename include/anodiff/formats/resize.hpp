// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/reflected.hpp>
#include <anodiff/core/tensor.hpp>
#include <cmath>
#include <vector>

namespace anodiff::formats {

namespace detail {

/// What one output place of an axis is made of: consecutive input places from first on, whose weights sum to 1.
struct axis_mix {
  index first = 0;
  std::vector<double> weights;
};

/// Shorter: the mean over the stretch [i s, (i + 1) s) of the input, s = from / to, a place that lies in it in part
/// counting by that part. Longer: linear between the two places around (i + 1/2) s - 1/2, the ends held.
inline std::vector<axis_mix> axis_mixes(index from, index to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  std::vector<axis_mix> out(static_cast<std::size_t>(to));
  for (index i = 0; i < to; ++i) {
    auto& [first, weights] = out[static_cast<std::size_t>(i)];
    if (to >= from) {
      const double at = std::clamp((static_cast<double>(2 * i + 1) * step - 1) / 2, 0.0, static_cast<double>(from - 1));
      first = static_cast<index>(at);
      const double share = at - static_cast<double>(first);
      weights = share > 0 ? std::vector{1 - share, share} : std::vector{1.0};
      continue;
    }
    // In units of 1 / to of an input place: [i from, (i + 1) from), whole numbers, so that the parts sum exactly.
    const index begin = i * from, end = begin + from;
    first = begin / to;
    for (index place = first; place * to < end; ++place) {
      const index part = std::min(end, (place + 1) * to) - std::max(begin, place * to);
      weights.push_back(static_cast<double>(part) / static_cast<double>(from));
    }
  }
  return out;
}

}  // namespace detail

/// A picture (h, w, c) in another size (height, width, c), each axis apart: where it shrinks, the mean over the area;
/// where it grows, bilinear between centres of pixels. A constant picture stays constant to a rounding. Throws
/// invalid_argument where a size is below 1.
[[nodiscard]] inline tensor<float, 3> resize(tensor_view<const float, 3> from, index height, index width) {
  const index channels = from.extent(2);
  check(height >= 1 && width >= 1, "resize: the new size must be at least 1 x 1, got ", height, " x ", width);
  check(from.extent(0) >= 1 && from.extent(1) >= 1, "resize: needs at least one pixel, got shape ",
        to_string(from.extents()));
  const auto down = detail::axis_mixes(from.extent(0), height), across = detail::axis_mixes(from.extent(1), width);
  tensor<float, 3> out{{height, width, channels}};
  std::vector<double> row(static_cast<std::size_t>(from.row_size()));
  for (index i = 0; i < height; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    const auto& mix = down[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < mix.weights.size(); ++k) {
      const auto line = from.row(mix.first + static_cast<index>(k));
      for (std::size_t j = 0; j < row.size(); ++j) row[j] += mix.weights[k] * static_cast<double>(line[j]);
    }
    float* to = out.row(i).data();
    for (const auto& [first, weights] : across)
      for (index c = 0; c < channels; ++c) {
        double sum = 0;
        const double* place = row.data() + first * channels + c;
        for (const double weight : weights) {
          sum += weight * *place;
          place += channels;
        }
        *to++ = static_cast<float>(sum);
      }
  }
  return out;
}

/// The part of a picture (h, w, c) from row top and column left on. Throws invalid_argument where it does not lie
/// within the picture.
[[nodiscard]] inline tensor<float, 3> crop(tensor_view<const float, 3> from, index top, index left, index height,
                                           index width) {
  check(top >= 0 && left >= 0 && height >= 0 && width >= 0 && top <= from.extent(0) - height &&
            left <= from.extent(1) - width,
        "crop: ", height, " x ", width, " from row ", top, " and column ", left, " must lie within ", from.extent(0),
        " x ", from.extent(1));
  tensor<float, 3> out{{height, width, from.extent(2)}};
  for (index i = 0; i < height; ++i)
    std::copy_n(from.row(top + i).data() + left * from.extent(2), out.row_size(), out.row(i).data());
  return out;
}

/// The middle of a picture (h, w, c); where a margin is odd, its smaller half lies above and to the left. Throws
/// invalid_argument where the picture is smaller.
[[nodiscard]] inline tensor<float, 3> centre_crop(tensor_view<const float, 3> from, index height, index width) {
  check(height >= 0 && height <= from.extent(0) && width >= 0 && width <= from.extent(1), "centre_crop: ", height,
        " x ", width, " must lie within ", from.extent(0), " x ", from.extent(1));
  return crop(from, (from.extent(0) - height) / 2, (from.extent(1) - width) / 2, height, width);
}

/// Pixels to add on each side, each at least 0.
struct margins {
  index top = 0, bottom = 0, left = 0, right = 0;
};

/// A picture (h, w, c) with margins that reflect it (see reflected); crop takes them off again. Throws invalid_argument
/// on a negative margin or a picture without pixels.
[[nodiscard]] inline tensor<float, 3> reflect_pad(tensor_view<const float, 3> from, margins add) {
  check(add.top >= 0 && add.bottom >= 0 && add.left >= 0 && add.right >= 0,
        "reflect_pad: margins must be at least 0, got ", add.top, ", ", add.bottom, ", ", add.left, ", ", add.right);
  const index height = from.extent(0), width = from.extent(1), channels = from.extent(2);
  check(height >= 1 && width >= 1, "reflect_pad: needs at least one pixel, got shape ", to_string(from.extents()));
  tensor<float, 3> out{{add.top + height + add.bottom, add.left + width + add.right, channels}};
  for (index i = 0; i < out.rows(); ++i) {
    const auto line = from.row(reflected(i - add.top, height));
    for (index j = 0; j < out.extent(1); ++j)
      std::copy_n(line.data() + reflected(j - add.left, width) * channels, channels, out.row(i).data() + j * channels);
  }
  return out;
}

}  // namespace anodiff::formats
