// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/picture.hpp>
#include <anodiff/io/colour_scale.hpp>
#include <anodiff/io/detail/tiny_font.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace anodiff::io {

/// Which values a scale of colours spans. Fix it once, from calibration, for all pictures: a scale of each picture's
/// own makes the best part look as bad as the worst.
struct colour_range {
  double low = 0;   ///< drawn as the picture itself, with all below
  double high = 1;  ///< drawn in the last colour, with all above; above low
};

struct overlay_options {
  colour_range range{};
  std::optional<double> threshold{};            ///< marked on the scale
  tensor_view<const std::uint8_t, 2> marked{};  ///< (h, w): what is not 0 gets a contour; left out: none
  double opacity = 0.75;                        ///< of the colours; in [0, 1]
  index zoom = 0;  ///< pixels drawn for one, each way; 0: as many as make small pictures readable
};

namespace detail {

/// What is drawn on: red, green, blue of 0 … 255.
class canvas {
 public:
  canvas(index height, index width) : picture_{tensor<std::uint16_t, 3>{{height, width, 3}}, 255} {}

  [[nodiscard]] index height() const noexcept { return picture_.height(); }
  [[nodiscard]] index width() const noexcept { return picture_.width(); }
  [[nodiscard]] formats::picture take() && noexcept { return std::move(picture_); }

  /// Outside the canvas nothing is drawn.
  void set(index row, index column, const colour& to) noexcept {
    if (row < 0 || column < 0 || row >= height() || column >= width()) return;
    std::copy(to.begin(), to.end(), picture_.values.data() + (row * width() + column) * 3);
  }
  void fill(index top, index left, index rows, index columns, const colour& to) noexcept {
    for (index i = top; i < top + rows; ++i)
      for (index j = left; j < left + columns; ++j) set(i, j, to);
  }
  void write(index top, index left, std::string_view text, index size, const colour& to) noexcept {
    for (std::size_t k = 0; k < text.size(); ++k) {
      const auto glyph = glyph_of(text[k]);
      const index begin = left + static_cast<index>(k) * glyph_step * size;
      for (index i = 0; i < glyph_height; ++i)
        for (index j = 0; j < glyph_width; ++j)
          if ((glyph[static_cast<std::size_t>(i)] >> (glyph_width - 1 - j) & 1) != 0)
            fill(top + i * size, begin + j * size, size, size, to);
    }
  }

 private:
  formats::picture picture_;
};

/// A share of the scale laid over what is below it: nothing at 0, then opaque soon.
inline colour lay_over(const colour& below, double share, double opacity) noexcept {
  const double t = std::clamp(share, 0.0, 1.0), cover = opacity * std::min(1.0, 3 * t);
  const auto above = colour_of(t);
  colour out;
  for (std::size_t c = 0; c < 3; ++c)
    out[c] = static_cast<std::uint8_t>(std::lround((1 - cover) * below[c] + cover * above[c]));
  return out;
}

/// A black line around what is marked, and a white one at its inner side, so that it shows on any ground.
inline void draw_contour(canvas& to, tensor_view<const std::uint8_t, 2> marked, index zoom) noexcept {
  const index height = marked.extent(0) * zoom, width = marked.extent(1) * zoom;
  const auto in = [&](index i, index j) {
    return i >= 0 && j >= 0 && i < height && j < width && marked(i / zoom, j / zoom) != 0;
  };
  for (index i = 0; i < height; ++i)
    for (index j = 0; j < width; ++j) {
      const bool here = in(i, j);
      const bool edge = in(i - 1, j) != here || in(i + 1, j) != here || in(i, j - 1) != here || in(i, j + 1) != here;
      if (edge) to.set(i, j, here ? colour{255, 255, 255} : colour{0, 0, 0});
    }
}

/// The scale from bottom to top beside the picture, with its ends, its middle, and the threshold.
inline void draw_scale(canvas& to, index left, index size, const overlay_options& options) {
  constexpr colour ground{24, 24, 24}, ink{235, 235, 235}, middle_grey{128, 128, 128};
  const auto [low, high] = options.range;
  to.fill(0, left, to.height(), to.width() - left, ground);
  const index margin = 5 * size, bar = 10 * size, tick = 3 * size, line = glyph_height * size;
  const index top = margin, rows = std::max<index>(1, to.height() - 2 * margin), bar_left = left + margin;
  for (index i = 0; i < rows; ++i) {
    const double share = rows == 1 ? 1 : 1 - static_cast<double>(i) / static_cast<double>(rows - 1);
    to.fill(top + i, bar_left, 1, bar, lay_over(middle_grey, share, options.opacity));
  }
  std::vector<index> taken;  // rows of text
  const auto mark = [&](double value, const colour& with, bool across) {
    const double share = std::clamp((value - low) / (high - low), 0.0, 1.0);
    const index row = top + static_cast<index>(std::lround((1 - share) * static_cast<double>(rows - 1)));
    if (across) to.fill(row - size / 2, bar_left, size, bar, with);
    const index text = std::clamp<index>(row - line / 2, 0, std::max<index>(0, to.height() - line));
    for (const index other : taken)
      if (std::abs(other - text) < line + 2 * size) return;
    taken.push_back(text);
    to.fill(row - size / 2, bar_left + bar, size, tick, with);
    to.write(text, bar_left + bar + tick + 2 * size, short_number(value), size, with);
  };
  if (options.threshold && *options.threshold >= low && *options.threshold <= high)
    mark(*options.threshold, {255, 255, 255}, true);
  for (const double value : {low, high, (low + high) / 2}) mark(value, ink, false);
}

}  // namespace detail

/// Pixels to draw for one, each way, so that a picture of that height has about 200 rows.
[[nodiscard]] inline index readable_zoom(index height) noexcept {
  return std::clamp<index>((191 + height) / std::max<index>(1, height), 1, 16);
}

/// Draws a map (h, w) over its picture (h, w, c) of values in [0, 1], c = 1 or 3: colours by a fixed scale, whose
/// numbers stand beside it, and a contour around what is marked. The picture is drawn grey, by its luminance (ITU-R
/// BT.709), so that no colour of its own is taken for one of the scale. Throws invalid_argument where sizes differ, a
/// picture has no pixels, or an option is out of range; numeric_error where a value is not finite.
[[nodiscard]] inline formats::picture draw_overlay(tensor_view<const float, 3> picture, tensor_view<const float, 2> map,
                                                   const overlay_options& options) {
  const auto [low, high] = options.range;
  const index height = map.extent(0), width = map.extent(1), channels = picture.extent(2);
  check(map.size() > 0 && picture.extent(0) == height && picture.extent(1) == width && (channels == 1 || channels == 3),
        "draw_overlay: needs a map (h, w) and a picture (h, w, 1 or 3), got ", to_string(map.extents()), " and ",
        to_string(picture.extents()));
  check(options.marked.size() == 0 || options.marked.extents() == map.extents(),
        "draw_overlay: marked needs the map's shape ", to_string(map.extents()), ", got ",
        to_string(options.marked.extents()));
  check(std::isfinite(low) && std::isfinite(high) && low < high, "draw_overlay: range needs low below high, got ", low,
        " and ", high);
  check(options.opacity >= 0 && options.opacity <= 1, "draw_overlay: opacity must lie in [0, 1], got ",
        options.opacity);
  check(options.zoom >= 0 && options.zoom <= 64, "draw_overlay: zoom must lie in [0, 64], got ", options.zoom);
  const index zoom = options.zoom > 0 ? options.zoom : readable_zoom(height);
  const index size = std::max<index>(1, (height * zoom + 128) / 256);  // of letters
  detail::canvas out{height * zoom, width * zoom + 78 * size};
  for (index i = 0; i < height; ++i)
    for (index j = 0; j < width; ++j) {
      const float value = map(i, j);
      const float* below = picture.data() + (i * width + j) * channels;
      const float level = channels == 1 ? below[0] : 0.2126f * below[0] + 0.7152f * below[1] + 0.0722f * below[2];
      check<numeric_error>(std::isfinite(value) && std::isfinite(level), "draw_overlay: needs finite values, got ",
                           std::isfinite(value) ? level : value, " in row ", i + 1, ", column ", j + 1);
      const auto grey = static_cast<std::uint8_t>(std::lround(255 * std::clamp(level, 0.0f, 1.0f)));
      const double share = (static_cast<double>(value) - low) / (high - low);
      out.fill(i * zoom, j * zoom, zoom, zoom, detail::lay_over({grey, grey, grey}, share, options.opacity));
    }
  if (options.marked.size() > 0) detail::draw_contour(out, options.marked, zoom);
  detail::draw_scale(out, width * zoom, size, options);
  return std::move(out).take();
}

}  // namespace anodiff::io
