// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/metrics/ranking.hpp>

namespace anodiff::metrics {

/// Counts of alarms against labels, and the rates they give, each in [0, 1].
struct confusion {
  std::int64_t true_positives = 0;   ///< anomalies with an alarm
  std::int64_t false_positives = 0;  ///< normals with an alarm
  std::int64_t true_negatives = 0;   ///< normals without
  std::int64_t false_negatives = 0;  ///< anomalies without

  /// Share of the normals that raise an alarm. Throws data_error without normals.
  [[nodiscard]] double false_alarm_rate() const {
    return ratio(false_positives, false_positives + true_negatives, "false_alarm_rate: needs at least one normal");
  }
  /// Share of the anomalies that raise an alarm. Throws data_error without anomalies.
  [[nodiscard]] double recall() const {
    return ratio(true_positives, true_positives + false_negatives, "recall: needs at least one anomaly");
  }
  /// Share of the alarms that are anomalies. Throws data_error without alarms.
  [[nodiscard]] double precision() const {
    return ratio(true_positives, true_positives + false_positives, "precision: needs at least one alarm");
  }
  /// Harmonic mean of precision and recall; 0 where nothing is found. Throws data_error without anomalies.
  [[nodiscard]] double f1() const {
    check<data_error>(true_positives + false_negatives > 0, "f1: needs at least one anomaly, got none");
    return ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives, "f1: needs samples");
  }

 private:
  static double ratio(std::int64_t part, std::int64_t whole, std::string_view need) {
    check<data_error>(whole > 0, need, ", got none");
    return static_cast<double>(part) / static_cast<double>(whole);
  }
};

/// Counts at a threshold: an alarm is a score above it, as for a detector (concepts/calibrator.hpp). One class alone is
/// allowed. Throws invalid_argument on no score, lengths that differ or a threshold that is NaN, numeric_error and
/// data_error as ranking does.
[[nodiscard]] inline confusion confusion_at(std::span<const double> scores, label_view labels, double threshold) {
  detail::check_scores("confusion_at", scores, labels);
  check(!std::isnan(threshold), "confusion_at: needs a threshold that is a number, got nan");
  confusion counts;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool alarm = scores[i] > threshold;
    if (labels[i] == 1)
      (alarm ? counts.true_positives : counts.false_negatives) += 1;
    else
      (alarm ? counts.false_positives : counts.true_negatives) += 1;
  }
  return counts;
}

}  // namespace anodiff::metrics
