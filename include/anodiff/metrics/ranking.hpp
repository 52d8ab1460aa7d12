// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <anodiff/metrics/label_view.hpp>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::metrics {

/// All samples that share one score.
struct tie_group {
  double score = 0;
  std::int64_t positives = 0;  ///< anomalies among them
  std::int64_t negatives = 0;  ///< normals among them
};

namespace detail {

inline void check_scores(std::string_view who, std::span<const double> scores, label_view labels) {
  check(!scores.empty(), who, ": needs at least one score, got none");
  check(scores.size() == labels.size(), who, ": needs one label for each score, got ", scores.size(), " scores and ",
        labels.size(), " labels");
  for (std::size_t i = 0; i < scores.size(); ++i) {
    check<numeric_error>(std::isfinite(scores[i]), who, ": needs finite scores, got ", scores[i], " in row ", i + 1);
    check<data_error>(labels[i] == 0 || labels[i] == 1, who, ": needs labels 0 or 1, got ", labels[i], " in row ",
                      i + 1);
  }
}

}  // namespace detail

/// Scores sorted once, from the most to the least anomalous, with their labels counted at each distinct score. Holds
/// all that a metric needs which does not look at the order of the samples, so that several metrics share one sort.
class ranking {
 public:
  /// labels: 1 = anomaly, 0 = normal; who begins the error messages. Throws invalid_argument on no score or lengths
  /// that differ, numeric_error on a score that is not finite, data_error on another label or when one class is
  /// missing.
  ranking(std::span<const double> scores, label_view labels, std::string_view who = "ranking") {
    detail::check_scores(who, scores, labels);
    std::vector<std::pair<double, int>> order(scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i) order[i] = {scores[i], labels[i]};
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [score, label] : order) {
      if (groups_.empty() || groups_.back().score != score) groups_.push_back({score, 0, 0});
      (label == 1 ? groups_.back().positives : groups_.back().negatives) += 1;
    }
    count();
    check<data_error>(positives_ > 0 && negatives_ > 0, who, ": needs both classes, got ", positives_,
                      " anomalies and ", negatives_, " normals");
  }

  /// From counts; groups lie in strictly descending order of score, and both classes occur.
  explicit ranking(std::vector<tie_group> groups) : groups_{std::move(groups)} {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      check(groups_[i].positives >= 0 && groups_[i].negatives >= 0,
            "ranking: needs counts of at least 0, got a negative one in group ", i);
      check(i == 0 || groups_[i].score < groups_[i - 1].score,
            "ranking: needs groups in strictly descending order of score, got ", groups_[i].score, " at group ", i);
    }
    count();
    check<data_error>(positives_ > 0 && negatives_ > 0, "ranking: needs both classes, got ", positives_,
                      " anomalies and ", negatives_, " normals");
  }

  /// Distinct scores, descending.
  [[nodiscard]] std::span<const tie_group> groups() const noexcept { return groups_; }
  [[nodiscard]] std::int64_t positives() const noexcept { return positives_; }
  [[nodiscard]] std::int64_t negatives() const noexcept { return negatives_; }

 private:
  void count() noexcept {
    for (const auto& group : groups_) {
      positives_ += group.positives;
      negatives_ += group.negatives;
    }
  }

  std::vector<tie_group> groups_;
  std::int64_t positives_ = 0, negatives_ = 0;
};

}  // namespace anodiff::metrics
