// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pipeline/picture_detector.hpp>
#include <numeric>

namespace anodiff {

template <class Parts>
template <class F>
void basic_picture_detector<Parts>::for_each_piece(tensor_view<const float, 3> picture, F&& f) const {
  // a network halves its input a few times, always at the same pixels
  constexpr index grid = 16;
  const auto rounded = [](index n) { return (n + grid - 1) / grid * grid; };
  const picture_params& how = numbers_.picture;
  const index margin = how.surround, height = picture.extent(0), width = picture.extent(1);
  // the piece begins at `at` and is judged from `from` to `to`
  struct stretch {
    index at, size, from, to;
  };
  const auto stretches = [&](index extent) {
    std::vector<stretch> out;
    const index end = rounded(extent + 2 * margin) - margin;
    if (end + margin <= how.tile) return std::vector<stretch>{{-margin, end + margin, 0, extent}};
    for (index at = -margin, from = 0; from < extent; at += how.tile - 2 * how.overlap) {
      const bool last = at + how.tile >= end;
      const index size = last ? end - at : how.tile, to = last ? extent : std::min(extent, at + size - how.overlap);
      out.push_back({at, size, from, to});
      from = to;
    }
    return out;
  };
  for (const stretch& y : stretches(height))
    for (const stretch& x : stretches(width)) {
      tensor<float, 3> piece{{y.size, x.size, picture.extent(2)}};
      cut(picture, {y.at, x.at, y.size, x.size}, piece.data());
      f(piece.view(), [&](auto&& take) {
        for (index i = y.from; i < y.to; ++i) take(i, i - y.at, x.from, x.from - x.at, x.to - x.from);
      });
    }
}

template <class Parts>
tensor<float, 3> basic_picture_detector<Parts>::views_of(tensor_view<const float, 3> picture,
                                                         const learned_type& learned, index scale) const {
  tensor<float, 3> views;
  for_each_piece(picture, [&](tensor_view<const float, 3> piece, auto&& for_each_line) {
    const index height = piece.extent(0), width = piece.extent(1), channels = piece.extent(2), size = piece.size();
    auto lease = planned(scale, height, width);
    const tensor_view<const float, 2> x{piece.data(), {1, size}};
    const tensor_view<float, 3> evidence{lease.evidence.data(), {lease.run->views(), 1, size}};
    if constexpr (part::studies_normals<scorer_type>)
      lease.run->evidence(x, learned, evidence);
    else
      lease.run->evidence(x, evidence);
    if (views.size() == 0) views = tensor<float, 3>{{evidence.extent(0), picture.extent(0), picture.extent(1)}};
    for (index v = 0; v < views.extent(0); ++v)
      for_each_line([&](index line, index piece_line, index column, index piece_column, index count) {
        const float* from = evidence.data() + v * size + (piece_line * width + piece_column) * channels;
        float* to = views.data() + (v * views.extent(1) + line) * views.extent(2) + column;
        for (index j = 0; j < count; ++j) {
          float sum = 0;
          for (index c = 0; c < channels; ++c) sum += from[j * channels + c];
          to[j] = sum / static_cast<float>(channels);
        }
      });
  });
  return views;
}

template <class Parts>
tensor<float, 2> basic_picture_detector<Parts>::aggregated(tensor<float, 3> views,
                                                           const scale_statistics& normal) const {
  tensor<float, 2> map{{views.extent(1), views.extent(2)}};
  const index pixels = map.size();
  if constexpr (sums_tails)
    for (index v = 0; v < views.extent(0); ++v) {
      const tensor_view<float, 2> view{views.row(v).data(), map.extents()};
      blur_map(view);
      const auto& tail = normal.tails[static_cast<std::size_t>(v)];
      for (float& value : view.flat()) value = static_cast<float>(tail(static_cast<double>(value)));
    }
  std::vector<double> values(static_cast<std::size_t>(views.extent(0)));
  for (index e = 0; e < pixels; ++e) {
    for (std::size_t v = 0; v < values.size(); ++v)
      values[v] = static_cast<double>(views.data()[static_cast<index>(v) * pixels + e]);
    map.data()[e] = static_cast<float>(aggregator_.reduce(values, normal.views));
  }
  if constexpr (!sums_tails) blur_map(map);
  return map;
}

template <class Parts>
tensor<float, 2> basic_picture_detector<Parts>::map_at(tensor_view<const float, 3> picture, index scale,
                                                       const scale_statistics& normal) const {
  const auto prepared = at_scale(picture, scale);
  auto map = aggregated(views_of(prepared, normal.learned, scale), normal);
  if (!sums_tails && statistics_.size() > 1)
    for (float& v : map.flat())
      v = static_cast<float>((static_cast<double>(v) - normal.whole.mean) / normal.whole.deviation);
  return map;
}

template <class Parts>
tensor<float, 2> basic_picture_detector<Parts>::map_of(tensor_view<const float, 3> picture,
                                                       std::span<const scale_statistics> statistics) const {
  tensor<float, 2> out;
  for (std::size_t scale = 0; scale < statistics.size(); ++scale) {
    auto map = map_at(picture, static_cast<index>(scale), statistics[scale]);
    if (scale == 0) {
      out = std::move(map);
      continue;
    }
    std::ranges::transform(
        resized(map, out.extent(0), out.extent(1)).flat(), out.flat(), out.data(),
        [](float coarse, float fine) { return sums_tails ? coarse + fine : std::max(coarse, fine); });
  }
  for (const auto& map : texture_maps(picture))
    std::ranges::transform(resized(map, out.extent(0), out.extent(1)).flat(), out.flat(), out.data(), std::plus<>{});
  return out;
}

template <class Parts>
void basic_picture_detector<Parts>::narrow(picture_focus to) {
  check(to.minimum_area >= 1 && to.minimum_area <= index{1} << 24,
        "picture_detector::narrow: minimum_area must lie in [1, 2^24], got ", to.minimum_area);
  if (to.interest.size() > 0) {
    check(interest_.size() == 0 || to.interest.extents() == interest_.extents(),
          "picture_detector::narrow: the region of interest is ", to.interest.extent(0), " x ", to.interest.extent(1),
          ", the detector has one of ", interest_.extent(0), " x ", interest_.extent(1));
    for (std::uint8_t& v : to.interest.flat()) v = v != 0 ? 1 : 0;
    for (index e = 0; e < interest_.size(); ++e) to.interest.data()[e] &= interest_.data()[e];
    const auto left = detail::counted(to.interest, to.interest.extent(0), to.interest.extent(1),
                                      numbers_.picture.border * numbers_.picture.reduce);
    check(std::ranges::any_of(left.flat(), [](std::uint8_t v) { return v != 0; }),
          "picture_detector::narrow: the region of interest needs a pixel that counts, got none",
          numbers_.picture.border > 0 ? " away from the border that is left out" : "");
    interest_ = std::move(to.interest);
  }
  numbers_.picture.minimum_area = std::max(numbers_.picture.minimum_area, to.minimum_area);
}

template <class Parts>
void basic_picture_detector<Parts>::focus(picture_finding& found, std::string_view name) const {
  const index area = numbers_.picture.minimum_area;
  const auto counts = counted(found.map.extent(0), found.map.extent(1));
  (void)finite(std::accumulate(found.map.flat().begin(), found.map.flat().end(), 0.0), name);
  found.score = finite(area > 1 ? detail::pool_counted(pooler_, pooling::area_opened(found.map, counts, area), counts)
                                : detail::pool_counted(pooler_, found.map, counts),
                       name);
  if (calibrated_) detail::count_dropped(found.map, counts, calibrated_->threshold(), area, found);
  for (index e = 0; e < interest_.size(); ++e)
    if (interest_.data()[e] == 0) found.map.data()[e] = 0;
}

template <class Parts>
auto basic_picture_detector<Parts>::planned(index scale, index height, index width) const ->
    typename picture_runs<run_type>::lease {
  return (scale > 0 ? coarse_runs_ : runs_).take(height, width, [&] {
    const model_type resized = model_of(scale).resized({height, width, channels_});
    picture_run<run_type> made{
        height, width, std::make_unique<run_type>(scorer_of(scale).prepare(context(resized, scale), 1)), {}};
    made.evidence.resize(static_cast<std::size_t>(made.run->views() * height * width * channels_));
    return made;
  });
}

}  // namespace anodiff
