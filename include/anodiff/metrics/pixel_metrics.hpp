// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/metrics/auroc.hpp>
#include <anodiff/metrics/average_precision.hpp>
#include <anodiff/metrics/intervals.hpp>
#include <anodiff/metrics/overlap.hpp>
#include <anodiff/metrics/pixel_ranking.hpp>
#include <concepts>
#include <vector>

namespace anodiff::metrics {

/// auroc of all pixels of all pictures together. Throws data_error where anomalous or normal pixels are missing.
[[nodiscard]] inline double pixel_auroc(const pixel_ranking& pixels) { return auroc(pixels.pooled()); }

/// average_precision of all pixels of all pictures together. Throws data_error where one class is missing.
[[nodiscard]] inline double pixel_average_precision(const pixel_ranking& pixels) {
  return average_precision(pixels.pooled());
}

/// IoU-max and Dice-max of all pixels of all pictures together. Throws data_error where one class is missing.
[[nodiscard]] inline best_overlap pixel_overlap(const pixel_ranking& pixels) {
  return find_best_overlap(pixels.pooled());
}

/// Percentile interval of a metric of pixels, by bootstrap over whole pictures, since pixels of one picture go
/// together; see bootstrap_interval. Pictures with and without an anomalous pixel are resampled apart. Each resample
/// costs one pass over the sorted pixels, so that few hundreds are usual. Throws as bootstrap_interval, and data_error
/// where no picture is anomalous: `picture_interval(pixels, [](const pixel_ranking& p) { return aupro(p); })`.
template <class Metric>
requires requires(Metric& metric, const pixel_ranking& pixels) {
  { metric(pixels) } -> std::convertible_to<double>;
}
[[nodiscard]] interval picture_interval(const pixel_ranking& pixels, Metric metric,
                                        bootstrap_params params = {.resamples = 200}) {
  // Each picture is a group of one, whose score is its number: what comes back counts how often it was drawn.
  std::vector<tie_group> pictures;
  std::int64_t anomalous = 0;
  for (std::size_t p = 0; p < pixels.pictures(); ++p) {
    anomalous += pixels.is_anomalous(p) ? 1 : 0;
    pictures.push_back({-static_cast<double>(p), pixels.is_anomalous(p) ? 1 : 0, pixels.is_anomalous(p) ? 0 : 1});
  }
  check<data_error>(anomalous > 0, "picture_interval: needs at least one anomalous picture, got none");
  const bool all_anomalous = anomalous == static_cast<std::int64_t>(pixels.pictures());
  if (all_anomalous) pictures.push_back({-static_cast<double>(pixels.pictures()), 0, 1});  // a ranking has two classes
  return bootstrap_interval(
      ranking{std::move(pictures)},
      [&](const ranking& drawn) {
        std::vector<std::uint32_t> times(pixels.pictures() + 1, 0);
        for (const auto& group : drawn.groups())
          times[static_cast<std::size_t>(-group.score)] = static_cast<std::uint32_t>(group.positives + group.negatives);
        times.pop_back();
        return static_cast<double>(metric(pixels.resampled(std::move(times))));
      },
      params);
}

}  // namespace anodiff::metrics
