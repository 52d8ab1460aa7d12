// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/json.hpp>
#include <anodiff/metrics/components.hpp>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::io {

/// A corner of pixels: x columns from the left, y rows from the top; the pixel (row i, column j) spans (j, i) to
/// (j + 1, i + 1).
struct corner {
  index x = 0;
  index y = 0;
  [[nodiscard]] bool operator==(const corner&) const = default;
};

/// A closed line along the edges of pixels; its last corner joins the first.
using outline = std::vector<corner>;

/// Pixels of a map above the threshold that touch one another (see metrics::connected_components).
struct region {
  metrics::component box;            ///< count of pixels, and the box around them
  float peak = 0;                    ///< the highest value
  index peak_row = 0;                ///< where it is; the first in rows from the top
  index peak_column = 0;             //
  std::vector<outline> contours;     ///< the outer one clockwise, then holes, the other way round
  std::string_view dropped_because;  ///< empty where the region counts
};

struct region_options {
  double threshold = 0;                           ///< a pixel counts above it
  tensor_view<const std::uint8_t, 2> interest{};  ///< (h, w), 0 where a pixel does not count; left out: all count
  index minimum_pixels = 1;                       ///< a smaller region is dropped; at least 1
};

/// The regions of a map that count, and those that were dropped, with the reason.
struct region_list {
  std::vector<region> kept, dropped;
  tensor<std::uint8_t, 2> marked;  ///< (h, w), 1 in the regions kept
};

namespace detail {

/// The outlines of every component, in the order of numbers. An edge is walked with its pixel on the right; where two
/// pixels meet at a corner alone, the line goes on to the other pixel, since they are one component.
inline std::vector<std::vector<outline>> trace_outlines(const metrics::component_map& from) {
  struct step {
    index row, column;
  };
  constexpr std::array<step, 4> ahead{{{0, 1}, {1, 0}, {0, -1}, {-1, 0}}};    // along the top, right, bottom, left edge
  constexpr std::array<step, 4> corner_of{{{0, 1}, {1, 1}, {1, 0}, {0, 0}}};  // where that edge ends
  const auto number = [&](index i, index j) {
    const bool inside = i >= 0 && j >= 0 && i < from.number.extent(0) && j < from.number.extent(1);
    return inside ? from.number(i, j) : 0;
  };
  std::vector<std::vector<outline>> out(from.parts.size());
  tensor<std::uint8_t, 2> walked{from.number.extents()};  // top edges alone: each outline has one
  for (index first_row = 0; first_row < from.number.extent(0); ++first_row)
    for (index first_column = 0; first_column < from.number.extent(1); ++first_column) {
      const auto mine = number(first_row, first_column);
      if (mine == 0 || number(first_row - 1, first_column) == mine || walked(first_row, first_column) != 0) continue;
      outline line;
      index i = first_row, j = first_column;
      std::size_t edge = 0;
      do {
        if (edge == 0) walked(i, j) = 1;
        const std::size_t left = (edge + 3) % 4;
        const index row = i + ahead[edge].row, column = j + ahead[edge].column;
        const index side_row = row + ahead[left].row, side_column = column + ahead[left].column;
        if (number(side_row, side_column) == mine) {
          line.push_back({j + corner_of[edge].column, i + corner_of[edge].row});
          i = side_row;
          j = side_column;
          edge = left;
        } else if (number(row, column) == mine) {
          i = row;
          j = column;
        } else {
          line.push_back({j + corner_of[edge].column, i + corner_of[edge].row});
          edge = (edge + 1) % 4;
        }
      } while (i != first_row || j != first_column || edge != 0);
      out[static_cast<std::size_t>(mine - 1)].push_back(std::move(line));
    }
  return out;
}

inline std::vector<region> measure_regions(tensor_view<const float, 2> map, const metrics::component_map& found) {
  auto outlines = trace_outlines(found);
  std::vector<region> out(found.parts.size());
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k].box = found.parts[k];
    out[k].contours = std::move(outlines[k]);
    bool first = true;
    for (index i = out[k].box.top; i < out[k].box.bottom; ++i)
      for (index j = out[k].box.left; j < out[k].box.right; ++j)
        if (found.number(i, j) == static_cast<std::int32_t>(k + 1) &&
            (std::exchange(first, false) || map(i, j) > out[k].peak)) {
          out[k].peak = map(i, j);
          out[k].peak_row = i;
          out[k].peak_column = j;
        }
  }
  return out;
}

}  // namespace detail

/// Finds the regions of a map (h, w) above a threshold. Pixels outside the region of interest are cut off first; what
/// is cut off is listed as dropped, region by region, as is a region that is too small. Throws invalid_argument where
/// the threshold is NaN, minimum_pixels below 1 or interest has another size, numeric_error where the map is not
/// finite.
[[nodiscard]] inline region_list find_regions(tensor_view<const float, 2> map, const region_options& options) {
  const auto& interest = options.interest;
  check(!std::isnan(options.threshold), "find_regions: needs a threshold that is a number, got nan");
  check(options.minimum_pixels >= 1, "find_regions: minimum_pixels must be at least 1, got ", options.minimum_pixels);
  check(interest.size() == 0 || interest.extents() == map.extents(), "find_regions: interest needs the map's shape ",
        to_string(map.extents()), ", got ", to_string(interest.extents()));
  tensor<std::uint8_t, 2> inside{map.extents()}, outside{map.extents()};
  for (index i = 0; i < map.size(); ++i) {
    const float value = map.data()[i];
    check<numeric_error>(std::isfinite(value), "find_regions: needs finite values, got ", value, " in row ",
                         i / map.extent(1) + 1, ", column ", i % map.extent(1) + 1);
    const bool counts = interest.size() == 0 || interest.data()[i] != 0;
    if (static_cast<double>(value) > options.threshold) (counts ? inside : outside).data()[i] = 1;
  }
  region_list out;
  const auto found = metrics::connected_components(inside);
  std::vector<std::uint8_t> counts(found.parts.size() + 1, 0);
  auto measured = detail::measure_regions(map, found);
  for (std::size_t k = 0; k < measured.size(); ++k) {
    counts[k + 1] = measured[k].box.pixels >= options.minimum_pixels;
    if (counts[k + 1] == 0) measured[k].dropped_because = "smaller than the minimum";
    (counts[k + 1] != 0 ? out.kept : out.dropped).push_back(std::move(measured[k]));
  }
  for (auto& one : detail::measure_regions(map, metrics::connected_components(outside))) {
    one.dropped_because = "outside the region of interest";
    out.dropped.push_back(std::move(one));
  }
  out.marked = tensor<std::uint8_t, 2>{map.extents()};
  for (index i = 0; i < map.size(); ++i)
    out.marked.data()[i] = counts[static_cast<std::size_t>(found.number.data()[i])];
  return out;
}

/// {"threshold", "minimum_pixels", "regions": […], "dropped": […]}; a region has "box" [x, y, width, height], "pixels",
/// "peak", "peak_at" [x, y] and "contours", lists of corners [x, y]; a dropped one has the "reason" and no contours.
[[nodiscard]] inline formats::json to_json(const region_list& from, const region_options& options) {
  using formats::json;
  const auto pair = [](index x, index y) { return json{json::array_type{x, y}}; };
  const auto list = [&](const std::vector<region>& regions) {
    auto all = json::array();
    for (const auto& one : regions) {
      const auto& box = one.box;
      auto entry =
          json::object({{"box", json{json::array_type{box.left, box.top, box.right - box.left, box.bottom - box.top}}},
                        {"pixels", box.pixels},
                        {"peak", static_cast<double>(one.peak)},
                        {"peak_at", pair(one.peak_column, one.peak_row)}});
      if (!one.dropped_because.empty()) {
        entry.set("reason", one.dropped_because);
      } else {
        auto contours = json::array();
        for (const auto& line : one.contours) {
          auto corners = json::array();
          for (const auto& [x, y] : line) corners.push_back(pair(x, y));
          contours.push_back(std::move(corners));
        }
        entry.set("contours", std::move(contours));
      }
      all.push_back(std::move(entry));
    }
    return all;
  };
  return json::object({{"threshold", options.threshold},
                       {"minimum_pixels", options.minimum_pixels},
                       {"regions", list(from.kept)},
                       {"dropped", list(from.dropped)}});
}

}  // namespace anodiff::io
