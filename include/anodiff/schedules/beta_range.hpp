// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/schedules/from_betas.hpp>

namespace anodiff::schedules {

inline void check_beta_range(std::string_view who, double first, double last, index steps) {
  check(first > 0 && first <= last && last < 1, who, ": need 0 < beta_first <= beta_last < 1, got ", first, " and ",
        last);
  check(steps >= 1 && steps <= 1'000'000, who, ": steps must lie in [1, 1000000], got ", steps);
}

/// from_betas of `steps` numbers beta(share), share rising evenly from 0 to 1.
template <class Beta>
[[nodiscard]] std::vector<noise_level> from_beta_curve(index steps, Beta beta) {
  std::vector<double> betas(static_cast<std::size_t>(steps));
  for (std::size_t i = 0; i < betas.size(); ++i)
    betas[i] = beta(steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(steps - 1));
  return from_betas(betas);
}

/// √β on a straight line from √first to √last.
[[nodiscard]] inline std::vector<noise_level> from_root_line(double first, double last, index steps) {
  return from_beta_curve(steps, [=](double share) {
    const double root = std::lerp(std::sqrt(first), std::sqrt(last), share);
    return root * root;
  });
}

/// from_betas of min(1 − ᾱ((i + 1) / T) / ᾱ(i / T), cap), for a curve ᾱ that falls from time 0 to 1. Nichol & Dhariwal
/// 2021, arXiv:2102.09672, section 3.2.
template <class Signal>
[[nodiscard]] std::vector<noise_level> from_signal_curve(index steps, double cap, Signal signal) {
  std::vector<double> betas(static_cast<std::size_t>(steps));
  const auto total = static_cast<double>(steps);
  for (std::size_t i = 0; i < betas.size(); ++i)
    betas[i] = std::min(1 - signal(static_cast<double>(i + 1) / total) / signal(static_cast<double>(i) / total), cap);
  return from_betas(betas);
}

}  // namespace anodiff::schedules
