// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/pooler.hpp>
#include <anodiff/formats/resize.hpp>
#include <anodiff/metrics/components.hpp>
#include <anodiff/pipeline/picture_detection.hpp>
#include <anodiff/pooling/area_opened.hpp>
#include <limits>
#include <vector>

namespace anodiff {

namespace detail {

/// What counts of a map (h, w): the pixels in which some of the region of interest lies, but for `border` outer ones
/// (fewer where nothing else would be left).
[[nodiscard]] inline tensor<std::uint8_t, 2> counted(const tensor<std::uint8_t, 2>& interest, index height, index width,
                                                     index border) {
  tensor<std::uint8_t, 2> out{{height, width}};
  border = std::min(border, (std::min(height, width) - 1) / 2);
  tensor<float, 3> share;
  if (interest.size() > 0) {
    share = tensor<float, 3>{{interest.extent(0), interest.extent(1), 1}};
    std::ranges::transform(interest.flat(), share.data(), [](std::uint8_t v) { return v != 0 ? 1.0F : 0.0F; });
    if (interest.extents() != out.extents()) share = formats::resize(share, height, width);
  }
  for (index i = border; i < height - border; ++i)
    for (index j = border; j < width - border; ++j)
      out(i, j) = share.size() == 0 || share.data()[i * width + j] > 0 ? 1 : 0;
  return out;
}

/// The number of a map's pixels (h, w) that count, at least one. A pooler that knows places sees the lowest of them in
/// the places of the others.
template <pooler P>
[[nodiscard]] double pool_counted(const P& p, tensor_view<const float, 2> map,
                                  tensor_view<const std::uint8_t, 2> counts) {
  std::vector<float> values;
  for (index e = 0; e < map.size(); ++e)
    if (counts.data()[e] != 0) values.push_back(map.data()[e]);
  check<data_error>(!values.empty(), "picture_focus: a map of ", map.extent(0), " x ", map.extent(1),
                    " has no pixel that counts");
  if constexpr (map_pooler<P>) {
    tensor<float, 2> filled{map};
    const float lowest = std::ranges::min(values);
    for (index e = 0; e < map.size(); ++e)
      if (counts.data()[e] == 0) filled.data()[e] = lowest;
    return p.pool_map(filled.flat(), {map.extent(0), map.extent(1), 1});
  } else {
    return p.pool(values);
  }
}

/// What of a map lies above the threshold without raising an alarm: regions within the counted pixels that are smaller
/// than area, and regions outside.
inline void count_dropped(tensor_view<const float, 2> map, tensor_view<const std::uint8_t, 2> counts, double threshold,
                          index area, picture_finding& out) {
  tensor<std::uint8_t, 2> inside{map.extents()}, outside{map.extents()};
  for (index e = 0; e < map.size(); ++e)
    if (static_cast<double>(map.data()[e]) > threshold) (counts.data()[e] != 0 ? inside : outside).data()[e] = 1;
  for (const auto& part : metrics::connected_components(inside).parts)
    if (part.pixels < area) out.too_small.add(part.pixels);
  for (const auto& part : metrics::connected_components(outside).parts) out.outside.add(part.pixels);
}

}  // namespace detail

}  // namespace anodiff
