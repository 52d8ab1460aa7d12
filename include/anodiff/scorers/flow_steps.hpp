// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/scorer.hpp>

namespace anodiff::scorers {

/// Steps of DDIM without noise (Song et al. 2020, arXiv:2010.02502, eq. 12) between given levels, in both directions,
/// with the noise ε̂ that the network sees on the way: x̂_0 and ε̂ stay as they are at the level that is left.
template <class Context>
class flow_steps {
 public:
  flow_steps(const Context& context, index max_rows, std::vector<noise_level> levels)
      : levels_{std::move(levels)},
        estimator_{context.estimator(levels_, max_rows)},
        level_(static_cast<std::size_t>(max_rows)) {
    for (const auto& level : levels_) {
      const mixture clean = estimator_.fold(level);
      clean_.push_back(clean);
      noise_.push_back({(1 - level.alpha * clean.first) / level.sigma, -level.alpha * clean.second / level.sigma});
    }
  }
  [[nodiscard]] const std::vector<noise_level>& levels() const noexcept { return levels_; }
  [[nodiscard]] std::size_t size() const noexcept { return levels_.size(); }

  /// y = alpha x, the row at the first level without noise.
  void enter(tensor_view<const float, 2> x, float* y) const {
    const auto alpha = static_cast<float>(levels_.front().alpha);
    for (index e = 0; e < x.size(); ++e) y[e] = alpha * x.data()[e];
  }
  /// F at y (rows, d), which is at level `at`; valid until the next call.
  [[nodiscard]] const float* output(const float* y, std::size_t at, index rows) {
    std::fill_n(level_.begin(), rows, static_cast<std::int32_t>(at));
    return estimator_.output(y, level_.data(), rows);
  }
  /// Calls f(element, ε̂) for each of `count` elements of y and F at a level.
  template <class F>
  void each_noise(const float* y, const float* output, std::size_t at, index count, F&& f) const {
    const auto of_y = static_cast<float>(noise_[at].first), of_output = static_cast<float>(noise_[at].second);
    for (index e = 0; e < count; ++e) f(e, of_y * y[e] + of_output * output[e]);
  }
  /// Takes y from level `from` to level `to`, in place.
  void step(float* y, const float* output, std::size_t from, std::size_t to, index count) const {
    const auto& [alpha, sigma, time] = levels_[to];
    const auto of_y = static_cast<float>(alpha * clean_[from].first + sigma * noise_[from].first),
               of_output = static_cast<float>(alpha * clean_[from].second + sigma * noise_[from].second);
    for (index e = 0; e < count; ++e) y[e] = of_y * y[e] + of_output * output[e];
  }

 private:
  std::vector<noise_level> levels_;
  typename Context::estimator_type estimator_;
  std::vector<std::int32_t> level_;
  std::vector<mixture> clean_, noise_;  // x̂_0 and ε̂ as first y + second F
};

}  // namespace anodiff::scorers
