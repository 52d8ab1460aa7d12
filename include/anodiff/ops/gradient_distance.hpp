// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/annotate.hpp>
#include <anodiff/core/reflected.hpp>
#include <cmath>
#include <vector>

namespace anodiff::ops {

/// Absolute error of the float map against double.
inline constexpr double gradient_distance_bound = 2e-4;

/// How differently two pictures rise and fall, in [0, 1] at each pixel and channel, 0 where both do alike: the mean
/// over scales of 1 − (2 g h + c) / (g² + h² + c), c = 0.0026 range², where g and h are the lengths of the gradients
/// (Prewitt's, divided by 3; the border is mirrored) of x and of y in means of 2^s by 2^s pixels. Xue et al. 2014,
/// "Gradient magnitude similarity deviation", eqs. 1 to 4; several scales as Zavrtanik et al. 2021 (RIAD), eq. 4.
/// Scales end before a picture of one pixel.
template <class T>
struct gradient_distance {
  const T *x, *y;  ///< (n, height, width, channels)
  T* out;          ///< likewise; none of the others
  T* scratch;      ///< (3, height, width, channels)
  double range;    ///< the largest difference that data can have; above 0
  index scales;    ///< from 1
  index n, height, width, channels;
};

/// The constant that keeps two faint gradients from differing much.
[[nodiscard]] constexpr double gradient_floor(double range) noexcept { return 0.0026 * range * range; }

/// Scales that a picture has, up to `most`.
[[nodiscard]] constexpr index gradient_scales(index height, index width, index most) noexcept {
  index scales = 1;
  for (; scales < most && (height > 2 || width > 2); ++scales) {
    height = (height + 1) / 2;
    width = (width + 1) / 2;
  }
  return scales;
}

/// The distance of two lengths, written so that equal ones give exactly 0 and the order of the two does not matter.
template <class V, class T>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V gradient_distance_of(const V& g, const V& h, T floor) noexcept {
  const V apart = (g - h) * (g - h);
  return apart / (g * h + g * h + apart + floor);
}

namespace reference {

template <class T>
void run(const gradient_distance<T>& op) {
  const index scales = gradient_scales(op.height, op.width, op.scales);
  for (index n = 0; n < op.n; ++n)
    for (index c = 0; c < op.channels; ++c) {
      const auto plane = [&](const T* from) {
        std::vector<double> out;
        for (index i = 0; i < op.height * op.width; ++i)
          out.push_back(static_cast<double>(from[(n * op.height * op.width + i) * op.channels + c]));
        return out;
      };
      std::vector<double> x = plane(op.x), y = plane(op.y), sum(x.size());
      index height = op.height, width = op.width;
      for (index s = 0; s < scales; ++s) {
        const auto length = [&](const std::vector<double>& of, index i, index j) {
          const auto at = [&](index p, index q) {
            return of[static_cast<std::size_t>(reflected(p, height) * width + reflected(q, width))];
          };
          double down = 0, across = 0;
          for (index k = -1; k <= 1; ++k) {
            down += (at(i + 1, j + k) - at(i - 1, j + k)) / 3;
            across += (at(i + k, j + 1) - at(i + k, j - 1)) / 3;
          }
          return std::sqrt(down * down + across * across);
        };
        for (index i = 0; i < op.height; ++i)
          for (index j = 0; j < op.width; ++j)
            sum[static_cast<std::size_t>(i * op.width + j)] +=
                gradient_distance_of(length(x, i >> s, j >> s), length(y, i >> s, j >> s), gradient_floor(op.range));
        const auto halved = [&](const std::vector<double>& of) {
          std::vector<double> out;
          for (index i = 0; i < height; i += 2)
            for (index j = 0; j < width; j += 2) {
              double total = 0, count = 0;
              for (index p = i; p < std::min(i + 2, height); ++p)
                for (index q = j; q < std::min(j + 2, width); ++q, ++count)
                  total += of[static_cast<std::size_t>(p * width + q)];
              out.push_back(total / count);
            }
          return out;
        };
        x = halved(x);
        y = halved(y);
        height = (height + 1) / 2;
        width = (width + 1) / 2;
      }
      for (index i = 0; i < op.height * op.width; ++i)
        op.out[(n * op.height * op.width + i) * op.channels + c] =
            static_cast<T>(sum[static_cast<std::size_t>(i)] / static_cast<double>(scales));
    }
}

}  // namespace reference
}  // namespace anodiff::ops
