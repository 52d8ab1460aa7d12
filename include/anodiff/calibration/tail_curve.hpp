// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <cmath>
#include <numbers>
#include <vector>

namespace anodiff::calibration {

/// How rare a value is among normal ones: −log10 of the share of them that reach it. Straight lines between quantiles
/// from the median to the 99.9 % quantile u, and beyond it the tail of an exponential distribution with the mean excess
/// over u (Pickands 1975, with shape 0), so that a value without precedent still counts by how far it goes. 0 up to the
/// median, 3 at u.
class tail_curve {
 public:
  static constexpr std::size_t knots = 46;

  tail_curve() = default;
  /// Throws invalid_argument for fewer than 2 values, numeric_error for one that is not finite.
  explicit tail_curve(std::vector<float> normal) {
    check(normal.size() >= 2, "tail_curve: needs at least 2 normal values, got ", normal.size());
    check<numeric_error>(std::ranges::all_of(normal, [](float v) { return std::isfinite(v); }),
                         "tail_curve: a normal value is not finite");
    std::ranges::sort(normal);
    const auto last = static_cast<double>(normal.size() - 1);
    for (std::size_t k = 0; k < knots; ++k) {
      const double place = (1 - std::pow(10, -rarity_of(k))) * last;
      const auto low = static_cast<std::size_t>(place);
      const auto high = std::min(low + 1, normal.size() - 1);
      at_.push_back(std::lerp(static_cast<double>(normal[low]), static_cast<double>(normal[high]),
                              place - static_cast<double>(low)));
    }
    double excess = 0, count = 0;
    for (auto v = normal.rbegin(); v != normal.rend() && static_cast<double>(*v) >= at_.back(); ++v, ++count)
      excess += static_cast<double>(*v) - at_.back();
    // a normal sample without any excess says nothing of the tail's width: the curve's own is taken
    const double width = at_.back() - at_.front();
    const double mean = count > 0 ? excess / count : 0;
    scale_ = std::max({mean, 0.01 * width, 1e-12 * std::abs(at_.back()), 1e-30}) * std::numbers::ln10;
  }
  /// At least 0; rises with v.
  [[nodiscard]] double operator()(double v) const noexcept {
    if (!(v > at_.front())) return 0;
    if (v >= at_.back()) return rarity_of(knots - 1) + (v - at_.back()) / scale_;
    const auto above = std::upper_bound(at_.begin(), at_.end(), v);  // the first knot above v
    const auto k = static_cast<std::size_t>(above - at_.begin());
    const double low = at_[k - 1], high = at_[k];
    return std::lerp(rarity_of(k - 1), rarity_of(k), (v - low) / (high - low));
  }

  /// The quantiles, and after them the scale of the tail: for storage.
  [[nodiscard]] std::vector<double> values() const {
    auto out = at_;
    out.push_back(scale_);
    return out;
  }
  /// Throws invalid_argument for what values() cannot have given.
  [[nodiscard]] static tail_curve restored(std::vector<double> values) {
    check(values.size() == knots + 1 && values.back() > 0 && std::is_sorted(values.begin(), values.end() - 1),
          "tail_curve: needs ", knots, " rising quantiles and a positive scale");
    tail_curve out;
    out.scale_ = values.back();
    values.pop_back();
    out.at_ = std::move(values);
    return out;
  }

 private:
  /// −log10 of the share that reaches knot k: from the median, evenly to 3.
  [[nodiscard]] static double rarity_of(std::size_t k) noexcept {
    constexpr double first = 0.3010299956639812;  // log10 2
    return first + (3 - first) * static_cast<double>(k) / static_cast<double>(knots - 1);
  }
  std::vector<double> at_;
  double scale_ = 1;
};

}  // namespace anodiff::calibration
