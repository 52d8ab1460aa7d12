// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/png_writer.hpp>
#include <anodiff/formats/resize.hpp>
#include <anodiff/io/heat_map.hpp>
#include <anodiff/io/report.hpp>
#include <string>
#include <utility>

namespace anodiff::io {

namespace detail {

/// Every block of step x step pixels as its highest value, so that a small peak is not lost.
template <class T>
[[nodiscard]] tensor<T, 2> block_maximum(tensor_view<const T, 2> from, index step) {
  const index height = (from.extent(0) + step - 1) / step, width = (from.extent(1) + step - 1) / step;
  tensor<T, 2> out{{height, width}};
  for (index i = 0; i < height; ++i)
    for (index j = 0; j < width; ++j) {
      T most = from(i * step, j * step);
      for (index k = i * step; k < std::min((i + 1) * step, from.extent(0)); ++k)
        for (index l = j * step; l < std::min((j + 1) * step, from.extent(1)); ++l) most = std::max(most, from(k, l));
      out(i, j) = most;
    }
  return out;
}

/// A picture drawn as large as its overlay.
[[nodiscard]] inline formats::buffer encode_view(tensor_view<const float, 3> from) {
  const index zoom = readable_zoom(from.extent(0)), channels = from.extent(2);
  tensor<float, 3> out{{from.extent(0) * zoom, from.extent(1) * zoom, channels}};
  for (index i = 0; i < out.extent(0); ++i)
    for (index j = 0; j < out.extent(1); ++j)
      std::copy_n(from.row(i / zoom).data() + j / zoom * channels, channels, out.row(i).data() + j * channels);
  return formats::encode_png(formats::from_unit(out));
}

}  // namespace detail

/// The views of one picture for a report: the picture (h, w, c) of values in [0, 1], what the model made of it, of the
/// same shape or empty, and its map (h, w) with the regions that count. A picture whose longer side exceeds longest is
/// reduced by a whole factor, its map by the highest value of each block. Throws as find_regions and draw_overlay, and
/// invalid_argument where the reconstruction has another shape or longest is below 16.
[[nodiscard]] inline report_picture make_report_picture(std::string name, tensor_view<const float, 3> picture,
                                                        tensor_view<const float, 3> reconstruction,
                                                        tensor_view<const float, 2> map,
                                                        const heat_map_options& options, index longest = 512) {
  check(longest >= 16, "make_report_picture: longest must be at least 16, got ", longest);
  check(reconstruction.size() == 0 || reconstruction.extents() == picture.extents(),
        "make_report_picture: the reconstruction needs the picture's shape ", to_string(picture.extents()), ", got ",
        to_string(reconstruction.extents()));
  auto regions = find_regions(map, options.regions);
  const index step = (std::max(map.extent(0), map.extent(1)) + longest - 1) / longest;
  const auto reduced = [&](tensor_view<const float, 3> from) {
    return step <= 1 ? tensor<float, 3>{from}
                     : formats::resize(from, (from.extent(0) + step - 1) / step, (from.extent(1) + step - 1) / step);
  };
  report_picture out{.name = std::move(name)};
  const auto shown = reduced(picture);
  out.input = detail::encode_view(shown);
  if (reconstruction.size() > 0) out.reconstruction = detail::encode_view(reduced(reconstruction));
  if (step <= 1) {
    out.overlay = formats::encode_png(draw_heat_map(shown, map, regions, options));
  } else {
    regions.marked = detail::block_maximum(const_view(regions.marked), step);
    out.overlay = formats::encode_png(draw_heat_map(shown, detail::block_maximum(map, step), regions, options));
  }
  return out;
}

}  // namespace anodiff::io
