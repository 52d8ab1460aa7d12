// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/calibration/check_scores.hpp>
#include <anodiff/concepts/calibrator.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace anodiff::calibration {

struct conformal_params {
  double alpha = 0.05;  ///< promised rate of false alarms; in (0, 1)

  static constexpr void fields(auto& self, auto&& field) { field("alpha", self.alpha); }
};

/// Split-conformal p-values: p = (1 + #{calibration scores >= s}) / (n + 1). For a normal row exchangeable with the n
/// calibration rows P(p <= alpha) <= alpha. Vovk et al. 2005; Bates et al. 2023, arXiv:2104.08279, eq. 1.
/// Throws invalid_argument where alpha < 1 / (n + 1): no p-value could be that small; numeric_error for a NaN.
class conformal {
 public:
  using params = conformal_params;
  static constexpr std::string_view name = "conformal";

  class fitted {
   public:
    fitted() = default;
    fitted(std::vector<double> scores, double alpha) : scores_{std::move(scores)}, alpha_{alpha} {
      check_scores("calibration::conformal", scores_);
      std::sort(scores_.begin(), scores_.end());
      const auto n = static_cast<double>(scores_.size());
      // the alarm is raised where at most k - 1 calibration scores reach s; alpha = 1 / m must count as m - 1 rows
      const double k = std::floor(alpha * (n + 1) * (1 + 1e-12));
      check(k >= 1, "calibration::conformal: a false-alarm rate of ", alpha, " needs at least ",
            static_cast<index>(std::ceil(1 / alpha * (1 - 1e-12))) - 1, " calibration rows, got ", scores_.size(),
            "; no rate below 1/", scores_.size() + 1, " can be promised");
      threshold_ = scores_[scores_.size() - static_cast<std::size_t>(k)];
    }
    /// In [1 / (n + 1), 1].
    [[nodiscard]] double p_value(double score) const noexcept {
      const auto reached = scores_.end() - std::lower_bound(scores_.begin(), scores_.end(), score);
      return (1 + static_cast<double>(reached)) / (1 + static_cast<double>(scores_.size()));
    }
    /// An alarm is a score above it.
    [[nodiscard]] double threshold() const noexcept { return threshold_; }
    [[nodiscard]] double promised() const noexcept { return alpha_; }
    [[nodiscard]] std::span<const double> scores() const noexcept { return scores_; }

   private:
    std::vector<double> scores_;
    double alpha_ = 1, threshold_ = std::numeric_limits<double>::infinity();
  };

  explicit conformal(params p = {}) : params_{p} {
    check(p.alpha > 0 && p.alpha < 1, "calibration::conformal: alpha must lie in (0, 1), got ", p.alpha);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] fitted fit(std::span<const double> scores) const {
    return fitted{std::vector<double>(scores.begin(), scores.end()), params_.alpha};
  }

 private:
  params params_;
};
static_assert(calibrator<conformal>);

}  // namespace anodiff::calibration
