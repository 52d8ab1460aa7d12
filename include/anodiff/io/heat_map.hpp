// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/npy.hpp>
#include <anodiff/formats/png_writer.hpp>
#include <anodiff/formats/tiff_writer.hpp>
#include <anodiff/io/folder.hpp>
#include <anodiff/io/overlay.hpp>
#include <anodiff/io/regions.hpp>
#include <string>

namespace anodiff::io {

struct heat_map_options {
  colour_range range{};      ///< the same for all pictures
  region_options regions{};  ///< what gets a contour and is listed
  double opacity = 0.75;     ///< of the colours; in [0, 1]
};

/// The overlay of a map with contours around the regions that count.
[[nodiscard]] inline formats::picture draw_heat_map(tensor_view<const float, 3> picture,
                                                    tensor_view<const float, 2> map, const region_list& regions,
                                                    const heat_map_options& options) {
  return draw_overlay(picture, map,
                      {.range = options.range,
                       .threshold = options.regions.threshold,
                       .marked = regions.marked.view(),
                       .opacity = options.opacity});
}

/// Writes STEM.npy and STEM.tif, the map (h, w) as it is, STEM.png, its overlay on the picture (h, w, c), and
/// STEM.json, the regions, into a folder, and gives the regions. Throws as find_regions and draw_overlay, io_error
/// where the system refuses.
inline region_list write_heat_map(const std::string& folder, std::string_view stem, tensor_view<const float, 3> picture,
                                  tensor_view<const float, 2> map, const heat_map_options& options) {
  auto regions = find_regions(map, options.regions);
  const auto drawn = draw_heat_map(picture, map, regions, options);
  const auto path = path_in(folder, stem);
  formats::write_npy(path + ".npy", map);
  formats::write_tiff(path + ".tif", map);
  formats::write_png(path + ".png", drawn);
  formats::write_file_atomically(path + ".json", formats::bytes_of(to_json(regions, options.regions).dump() + "\n"));
  return regions;
}

}  // namespace anodiff::io
