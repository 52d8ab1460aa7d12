// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/calibration/check_scores.hpp>
#include <anodiff/concepts/calibrator.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace anodiff::calibration {

struct quantile_params {
  double alpha = 0.05;  ///< share of calibration scores above the threshold; in (0, 1)

  static constexpr void fields(auto& self, auto&& field) { field("alpha", self.alpha); }
};

/// The plug-in rule: the threshold is the (1 − alpha) quantile of the calibration scores (linear interpolation), and p
/// the share of them that reach s, at least 1 / n. The threshold decides, and lies between scores, where p is a
/// staircase: at an alarm p < alpha + 1 / n, elsewhere p > alpha − 1 / n. Simple and common, but too small a rate is
/// promised for few rows: prefer `conformal`, where an alarm is exactly p <= alpha, if the rate matters. Hyndman & Fan
/// 1996, definition 7. Throws invalid_argument for no score, numeric_error for a NaN.
class quantile {
 public:
  using params = quantile_params;
  static constexpr std::string_view name = "quantile";

  class fitted {
   public:
    fitted() = default;
    fitted(std::vector<double> scores, double alpha) : scores_{std::move(scores)}, alpha_{alpha} {
      check(!scores_.empty(), "calibration::quantile: needs at least one calibration row, got 0");
      check_scores("calibration::quantile", scores_);
      std::sort(scores_.begin(), scores_.end());
      const double at = (1 - alpha) * static_cast<double>(scores_.size() - 1);
      const auto below = static_cast<std::size_t>(at);
      const auto above = std::min(below + 1, scores_.size() - 1);
      threshold_ = std::lerp(scores_[below], scores_[above], at - std::floor(at));
    }
    [[nodiscard]] double p_value(double score) const noexcept {
      const auto reached = scores_.end() - std::lower_bound(scores_.begin(), scores_.end(), score);
      return std::max(1.0, static_cast<double>(reached)) / static_cast<double>(scores_.size());
    }
    [[nodiscard]] double threshold() const noexcept { return threshold_; }
    [[nodiscard]] double promised() const noexcept { return alpha_; }
    [[nodiscard]] std::span<const double> scores() const noexcept { return scores_; }

   private:
    std::vector<double> scores_;
    double alpha_ = 1, threshold_ = std::numeric_limits<double>::infinity();
  };

  explicit quantile(params p = {}) : params_{p} {
    check(p.alpha > 0 && p.alpha < 1, "calibration::quantile: alpha must lie in (0, 1), got ", p.alpha);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] fitted fit(std::span<const double> scores) const {
    return fitted{std::vector<double>(scores.begin(), scores.end()), params_.alpha};
  }

 private:
  params params_;
};
static_assert(calibrator<quantile>);

}  // namespace anodiff::calibration
