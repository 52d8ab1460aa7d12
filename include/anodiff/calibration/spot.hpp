// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/calibration/generalised_pareto.hpp>
#include <anodiff/core/shape.hpp>
#include <limits>
#include <vector>

namespace anodiff::calibration {

struct spot_params {
  double alpha = 1e-3;   ///< rate of false alarms wanted; in (0, 1 − level)
  double level = 0.98;   ///< quantile of the first scores over which the tail is fitted; [0, 1)
  index initial = 1000;  ///< scores that are only learned from; at least 10 / (1 − level), so that a tail is there
};

/// Peaks over a threshold on a stream, one score at a time: a score above the threshold z is an alarm, one between u
/// and z joins the tail, and z follows. Siffer et al. 2017 (SPOT), KDD, algorithm 2, with two differences. The tail is
/// fitted by probability-weighted moments. And alarms do teach: a tail without them ends at z, so that z falls and
/// alarms come ever more often (0.0112 for 0.002 wanted after 50,000 normal draws). As many as alpha leads one to
/// expect join it, cut off where the rate would be a tenth of alpha; more teach nothing. So the rate is still above
/// alpha, 0.0035 in that case, and below it where there are more anomalies than false alarms. It keeps the excesses
/// that it has learned; u stays as the first scores gave it.
class spot {
 public:
  explicit spot(const spot_params& p = {}) : params_{p} {
    check(p.level >= 0 && p.level < 1, "calibration::spot: level must lie in [0, 1), got ", p.level);
    check(p.alpha > 0 && p.alpha < 1 - p.level, "calibration::spot: alpha must lie in (0, 1 - level), got ", p.alpha);
    check(static_cast<double>(p.initial) * (1 - p.level) > 10 * (1 - 1e-12),
          "calibration::spot: initial must be at least 10 / (1 - level), got ", p.initial);
    first_.reserve(static_cast<std::size_t>(p.initial));
  }
  /// Takes the next score, and says whether it is an alarm; never one among the first `initial`. Throws numeric_error
  /// for a score that is not finite, and is then as it was.
  bool feed(double score) {
    check<numeric_error>(std::isfinite(score), "calibration::spot: score ", seen_ + 1, " of the stream is not finite");
    ++seen_;
    if (seen_ <= params_.initial) {
      first_.push_back(score);
      if (seen_ == params_.initial) begin();
      return false;
    }
    const bool alarm = score > threshold_;
    if (alarm && static_cast<double>(alarms_ + 1) > params_.alpha * static_cast<double>(seen_ - params_.initial))
      return true;
    ++learned_;
    alarms_ += alarm ? 1 : 0;
    if (score > from_)
      join(alarm ? std::min(score - from_, tail_.excess_at(tail_.survival(threshold_ - from_) / 10)) : score - from_);
    else
      place();
    return alarm;
  }
  /// An alarm is a score above it; infinite while it learns its first scores.
  [[nodiscard]] double threshold() const noexcept { return threshold_; }
  [[nodiscard]] index seen() const noexcept { return seen_; }
  [[nodiscard]] const generalised_pareto& tail() const noexcept { return tail_; }

 private:
  void begin() {
    std::sort(first_.begin(), first_.end());
    from_ = first_[static_cast<std::size_t>(params_.level * static_cast<double>(first_.size() - 1))];
    for (const double s : first_)
      if (s > from_) excesses_.push_back(s - from_);
    learned_ = params_.initial;
    first_ = {};
    refit();
  }
  void join(double excess) {
    excesses_.insert(std::upper_bound(excesses_.begin(), excesses_.end(), excess), excess);
    refit();
  }
  void refit() {
    if (!excesses_.empty()) tail_ = generalised_pareto::fit(excesses_);
    place();
  }
  void place() noexcept {
    const double share = static_cast<double>(excesses_.size()) / static_cast<double>(learned_);
    threshold_ = from_ + (params_.alpha < share ? tail_.excess_at(params_.alpha / share) : 0);
  }

  spot_params params_;
  std::vector<double> first_, excesses_;  // excesses ascending
  generalised_pareto tail_{0, std::numeric_limits<double>::min()};
  double from_ = 0, threshold_ = std::numeric_limits<double>::infinity();
  index seen_ = 0, learned_ = 0, alarms_ = 0;  // of the stream, in the tail's share, and alarms in the tail
};

}  // namespace anodiff::calibration
