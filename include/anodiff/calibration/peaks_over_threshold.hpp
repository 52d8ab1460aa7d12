// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/calibration/check_scores.hpp>
#include <anodiff/calibration/generalised_pareto.hpp>
#include <anodiff/concepts/calibrator.hpp>
#include <vector>

namespace anodiff::calibration {

struct peaks_over_threshold_params {
  double alpha = 0.05;  ///< rate of false alarms wanted; in (0, 1)
  double level = 0.9;   ///< quantile of the calibration scores over which the tail is fitted; [0, 1)

  static constexpr void fields(auto& self, auto&& field) {
    field("alpha", self.alpha);
    field("level", self.level);
  }
};

/// For rates that too few calibration rows support: over their `level` quantile u the scores' excesses are taken for a
/// generalised Pareto law, p = N_u / n · P(Y > s − u), and the threshold is u + (σ/γ) ((alpha n / N_u)^(−γ) − 1)
/// (Siffer et al. 2017, KDD, eq. 1; Pickands 1975); up to u, p is the share of scores that reach s. The rate is
/// extrapolated, no promise: prefer `conformal` where the rows suffice. Throws invalid_argument for no score,
/// numeric_error for one that is not finite.
class peaks_over_threshold {
 public:
  using params = peaks_over_threshold_params;
  static constexpr std::string_view name = "peaks_over_threshold";

  class fitted {
   public:
    fitted() = default;
    fitted(std::vector<double> scores, const params& p) : scores_{std::move(scores)}, alpha_{p.alpha} {
      check(!scores_.empty(), "calibration::peaks_over_threshold: needs at least one calibration row, got 0");
      check_scores("calibration::peaks_over_threshold", scores_);
      std::sort(scores_.begin(), scores_.end());
      from_ = scores_[static_cast<std::size_t>(p.level * static_cast<double>(scores_.size() - 1))];
      std::vector<double> excesses;
      for (const double s : scores_)
        if (s > from_) excesses.push_back(s - from_);
      share_ = static_cast<double>(excesses.size()) / static_cast<double>(scores_.size());
      if (!excesses.empty()) tail_ = generalised_pareto::fit(excesses);
      // up to u an alarm is raised where at most k scores reach s
      const auto k = static_cast<std::size_t>(alpha_ * static_cast<double>(scores_.size()) * (1 + 1e-12));
      threshold_ = alpha_ < share_ ? from_ + tail_.excess_at(alpha_ / share_) : scores_[scores_.size() - 1 - k];
    }
    /// In (0, 1].
    [[nodiscard]] double p_value(double score) const noexcept {
      if (score > from_) return std::max(std::numeric_limits<double>::min(), share_ * tail_.survival(score - from_));
      const auto reached = scores_.end() - std::lower_bound(scores_.begin(), scores_.end(), score);
      return static_cast<double>(reached) / static_cast<double>(scores_.size());
    }
    [[nodiscard]] double threshold() const noexcept { return threshold_; }
    [[nodiscard]] double promised() const noexcept { return alpha_; }
    [[nodiscard]] std::span<const double> scores() const noexcept { return scores_; }
    [[nodiscard]] const generalised_pareto& tail() const noexcept { return tail_; }

   private:
    std::vector<double> scores_;
    double alpha_ = 1, from_ = 0, share_ = 0, threshold_ = std::numeric_limits<double>::infinity();
    generalised_pareto tail_;
  };

  explicit peaks_over_threshold(params p = {}) : params_{p} {
    check(p.alpha > 0 && p.alpha < 1, "calibration::peaks_over_threshold: alpha must lie in (0, 1), got ", p.alpha);
    check(p.level >= 0 && p.level < 1, "calibration::peaks_over_threshold: level must lie in [0, 1), got ", p.level);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] fitted fit(std::span<const double> scores) const {
    return fitted{std::vector<double>(scores.begin(), scores.end()), params_};
  }

 private:
  params params_;
};
static_assert(calibrator<peaks_over_threshold>);

}  // namespace anodiff::calibration
