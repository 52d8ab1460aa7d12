// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/calibration/check_scores.hpp>
#include <anodiff/concepts/calibrator.hpp>
#include <anodiff/metrics/normal_quantile.hpp>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

namespace anodiff::calibration {

struct mad_params {
  double alpha = 0.05;  ///< rate of false alarms, were the scores normally distributed; in (0, 1)

  static constexpr void fields(auto& self, auto&& field) { field("alpha", self.alpha); }
};

/// median + k · 1.4826 · MAD with MAD = median |s − median| and k = Φ⁻¹(1 − alpha); p = 1 − Φ of the same scale. Half
/// the calibration rows may be anomalies before it breaks (Leys et al. 2013, doi:10.1016/j.jesp.2013.03.013), but the
/// rate holds for normally distributed scores only: it promises too little for skewed ones. Where more than half the
/// scores are equal MAD is 0, and all above the median is an alarm. Throws invalid_argument for no score, numeric_error
/// for a NaN.
class mad {
 public:
  using params = mad_params;
  static constexpr std::string_view name = "mad";

  class fitted {
   public:
    fitted() = default;
    fitted(std::vector<double> scores, double alpha) : scores_{std::move(scores)}, alpha_{alpha} {
      check(!scores_.empty(), "calibration::mad: needs at least one calibration row, got 0");
      check_scores("calibration::mad", scores_);
      std::sort(scores_.begin(), scores_.end());
      median_ = middle(scores_);
      std::vector<double> off;
      for (const double s : scores_) off.push_back(std::abs(s - median_));
      std::sort(off.begin(), off.end());
      constexpr double to_deviation = 1.4826022185056018;  // 1 / Φ⁻¹(3/4)
      scale_ = to_deviation * middle(off);
      threshold_ = median_ + metrics::normal_quantile(1 - alpha) * scale_;
    }
    /// In (0, 1].
    [[nodiscard]] double p_value(double score) const noexcept {
      constexpr double least = std::numeric_limits<double>::min();
      if (scale_ == 0) return score > median_ ? least : 1;
      return std::max(least, std::erfc((score - median_) / scale_ / std::numbers::sqrt2) / 2);
    }
    [[nodiscard]] double threshold() const noexcept { return threshold_; }
    [[nodiscard]] double promised() const noexcept { return alpha_; }
    [[nodiscard]] std::span<const double> scores() const noexcept { return scores_; }

   private:
    [[nodiscard]] static double middle(const std::vector<double>& sorted) noexcept {
      const std::size_t half = sorted.size() / 2;
      return sorted.size() % 2 == 1 ? sorted[half] : std::midpoint(sorted[half - 1], sorted[half]);
    }
    std::vector<double> scores_;
    double alpha_ = 1, median_ = 0, scale_ = 0, threshold_ = std::numeric_limits<double>::infinity();
  };

  explicit mad(params p = {}) : params_{p} {
    check(p.alpha > 0 && p.alpha < 1, "calibration::mad: alpha must lie in (0, 1), got ", p.alpha);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] fitted fit(std::span<const double> scores) const {
    return fitted{std::vector<double>(scores.begin(), scores.end()), params_.alpha};
  }

 private:
  params params_;
};
static_assert(calibrator<mad>);

}  // namespace anodiff::calibration
