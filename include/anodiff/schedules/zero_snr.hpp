// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/schedule.hpp>
#include <array>
#include <cmath>

namespace anodiff::schedules {

/// alpha shifted and scaled so that the first stays and the last is 0, at variance 1. Lin et al. 2023,
/// arXiv:2305.08891, algorithm 1. sigma² is what it was and what alpha² lost, since 1 − alpha² would cancel. A single
/// level becomes the last.
[[nodiscard]] inline std::vector<noise_level> rescaled_to_zero_snr(std::vector<noise_level> levels) {
  if (levels.empty()) return levels;
  const double first = levels.front().alpha, last = levels.back().alpha;
  const double fall = last / (first - last);  // alpha loses it for each unit below the first
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
    auto& l = levels[i];
    const double lost = fall * (first - l.alpha), was = l.alpha;
    l.alpha -= lost;
    l.sigma = std::sqrt(l.sigma * l.sigma + lost * (was + l.alpha));
  }
  levels.back() = {0, 1, levels.back().time};
  return levels;
}

/// Another schedule, ended in pure noise, so that a run can start where training ended. Lin et al. 2023,
/// arXiv:2305.08891, algorithm 1. Needs a prediction from which the clean sample can be told there: velocity or clean.
template <schedule Base>
class zero_snr {
  static_assert(Base::variance_preserving && !Base::ends_in_pure_noise,
                "zero_snr: needs a variance-preserving schedule that ends with signal");
  static constexpr std::string_view prefix = "zero_snr_";
  static constexpr auto joined = [] {
    std::array<char, prefix.size() + Base::name.size()> text{};
    for (std::size_t i = 0; i < text.size(); ++i)
      text[i] = i < prefix.size() ? prefix[i] : Base::name[i - prefix.size()];
    return text;
  }();

 public:
  using params = typename Base::params;
  static constexpr std::string_view name{joined.data(), joined.size()};
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = true;

  explicit zero_snr(params p = {}) : base_{std::move(p)} {}
  [[nodiscard]] params parameters() const noexcept { return base_.parameters(); }
  [[nodiscard]] std::vector<noise_level> levels() const { return rescaled_to_zero_snr(base_.levels()); }

 private:
  Base base_;
};

}  // namespace anodiff::schedules
