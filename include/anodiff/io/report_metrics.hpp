// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/io/report.hpp>
#include <anodiff/metrics/aupro.hpp>
#include <anodiff/metrics/average_precision.hpp>
#include <anodiff/metrics/f1.hpp>
#include <anodiff/metrics/pixel_metrics.hpp>
#include <vector>

namespace anodiff::io {

/// Adds the metrics of whole pictures, from their scores and labels, and the ROC curve. Throws data_error where a
/// picture has no label or one class is missing.
inline void add_picture_metrics(report& to) {
  std::vector<double> scores;
  std::vector<int> labels;
  for (const auto& one : to.pictures) {
    check<data_error>(one.label.has_value(), "add_picture_metrics: needs a label of each picture, got none for ",
                      one.name);
    scores.push_back(one.score);
    labels.push_back(*one.label);
  }
  const metrics::ranking ranked{scores, labels, "add_picture_metrics"};
  to.metrics.push_back({"picture AUROC", metrics::auroc(ranked), metrics::auroc_interval(ranked), ""});
  to.metrics.push_back({"picture AP", metrics::average_precision(ranked),
                        metrics::bootstrap_interval(
                            ranked, [](const metrics::ranking& drawn) { return metrics::average_precision(drawn); }),
                        ""});
  to.metrics.push_back({"picture F1", metrics::f1_at_n(ranked), {}, "as many alarms as anomalies"});
  to.curves.push_back({"ROC of pictures", "share of normal pictures with an alarm", "share of anomalies found",
                       metrics::roc_curve(ranked)});
}

/// Adds the metrics of pixels, with intervals over pictures, and the per-region overlap curve up to 0.3. Throws
/// data_error where no pixel is anomalous or none is normal.
/// resamples: of each interval, as bootstrap_params.
inline void add_pixel_metrics(report& to, const metrics::pixel_ranking& pixels, int resamples = 200) {
  const auto add = [&](const char* name, const char* note, const auto& metric) {
    const auto interval = metrics::picture_interval(pixels, metric, {.resamples = resamples});
    to.metrics.push_back({name, metric(pixels), interval, note});
  };
  using metrics::pixel_ranking;
  add("pixel AUROC", "", [](const pixel_ranking& p) { return metrics::pixel_auroc(p); });
  add("pixel AP", "", [](const pixel_ranking& p) { return metrics::pixel_average_precision(p); });
  add("AUPRO at 0.3", "", [](const pixel_ranking& p) { return metrics::aupro(p, 0.3); });
  add("AUPRO at 0.05", "", [](const pixel_ranking& p) { return metrics::aupro(p, 0.05); });
  add("IoU-max", "threshold chosen with the labels: an upper bound",
      [](const pixel_ranking& p) { return metrics::pixel_overlap(p).iou; });
  add("Dice-max", "threshold chosen with the labels: an upper bound",
      [](const pixel_ranking& p) { return metrics::pixel_overlap(p).dice; });
  to.curves.push_back({"Overlap of regions (PRO)", "share of normal pixels with an alarm",
                       "mean share of a region found", metrics::pro_curve(pixels), 0.3});
}

}  // namespace anodiff::io
