// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace anodiff::io {

/// Red, green and blue, 0 … 255 in sRGB.
using colour = std::array<std::uint8_t, 3>;

namespace detail {

/// Linear red, green and blue of a colour in Oklab (Ottosson 2020).
inline std::array<double, 3> linear_from_oklab(double lightness, double a, double b) noexcept {
  const auto cube = [](double x) { return x * x * x; };
  const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

/// Linear light to sRGB, IEC 61966-2-1.
inline double srgb_from_linear(double x) noexcept {
  return x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
}

}  // namespace detail

/// The colour of a share in [0, 1], clipped to it: from dark violet over red and orange to pale yellow. Its lightness
/// in Oklab rises evenly, so that equal steps look equal, and the order survives in grey and for eyes that do not tell
/// red from green.
[[nodiscard]] inline colour colour_of(double share) noexcept {
  const double t = std::clamp(share, 0.0, 1.0), lightness = 0.28 + 0.66 * t;
  const double hue = (290 + 175 * t) * std::numbers::pi / 180;
  const auto at = [&](double chroma) {
    return detail::linear_from_oklab(lightness, chroma * std::cos(hue), chroma * std::sin(hue));
  };
  const auto shown = [](const std::array<double, 3>& x) {
    return x[0] >= 0 && x[0] <= 1 && x[1] >= 0 && x[1] <= 1 && x[2] >= 0 && x[2] <= 1;
  };
  double inside = 0, outside = 0.2;  // of chroma: the strongest below 0.2 that a screen shows
  for (int i = 0; i < 20; ++i) {
    const double middle = (inside + outside) / 2;
    (shown(at(middle)) ? inside : outside) = middle;
  }
  const auto light = at(inside);
  colour out;
  for (std::size_t c = 0; c < 3; ++c)
    out[c] = static_cast<std::uint8_t>(std::lround(255 * detail::srgb_from_linear(std::clamp(light[c], 0.0, 1.0))));
  return out;
}

}  // namespace anodiff::io
