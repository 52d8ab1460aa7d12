// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <anodiff/core/shape.hpp>
#include <cmath>
#include <span>
#include <vector>

namespace anodiff::calibration {

/// How rare a score is among normal ones: −log of its tail probability. Up to their 90 % quantile t it counts,
/// −log((1 + #{≥ s}) / (N + 1)); beyond, the excess is taken for exponential with its mean (a generalised Pareto tail
/// of shape 0; Pickands 1975), so that rows more extreme than all normal ones still differ.
class exponential_tail {
 public:
  exponential_tail() = default;
  /// From scores of normal rows, finite, at least one.
  explicit exponential_tail(std::vector<double> scores) : sorted_{std::move(scores)} {
    check(!sorted_.empty(), "calibration::exponential_tail: needs at least one score, got none");
    std::ranges::sort(sorted_);
    from_ = sorted_[static_cast<std::size_t>(0.9 * (count() - 1))];
    double mean = 0, square = 0;
    for (const double s : sorted_) {
      mean += s / count();
      if (s > from_) {
        ++above_;
        excess_ += s - from_;
      }
    }
    for (const double s : sorted_) square += (s - mean) * (s - mean) / count();
    deviation_ = square > 0 ? std::sqrt(square) : 1;
  }
  [[nodiscard]] std::span<const double> scores() const noexcept { return sorted_; }

  /// −log p, above −log 2 … 0. `seen`: s is one of the scores, and is judged by the others.
  [[nodiscard]] double surprise(double s, bool seen = false) const noexcept {
    const double own = seen ? 1 : 0, n = count() - own;
    if (!(s > from_)) {
      const auto as_large = static_cast<double>(sorted_.end() - std::ranges::lower_bound(sorted_, s));
      return -std::log((1 + std::max(0.0, as_large - own)) / (n + 1));
    }
    const double above = above_ - own, excess = excess_ - own * (s - from_);
    const bool some = above > 0 && excess > 0;
    const double share = some ? above / n : 1 / std::max(1.0, n), mean = some ? excess / above : deviation_;
    return -std::log(share) + (s - from_) / mean;
  }

 private:
  [[nodiscard]] double count() const noexcept { return static_cast<double>(sorted_.size()); }
  std::vector<double> sorted_;
  double from_ = 0, above_ = 0, excess_ = 0, deviation_ = 1;
};

}  // namespace anodiff::calibration
