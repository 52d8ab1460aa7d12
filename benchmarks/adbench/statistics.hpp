// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

/// Comparison of methods over data sets (Demsar 2006, JMLR 7:1).
namespace adbench {

/// Ranks from 1 (the highest value); ties share their mean rank.
inline std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<double> out;
  for (const double v : values) {
    double above = 0, equal = 0;
    for (const double w : values) {
      above += w > v ? 1 : 0;
      equal += w == v ? 1 : 0;
    }
    out.push_back(above + (equal + 1) / 2);
  }
  return out;
}

/// Two-sided p-value of Wilcoxon's signed-rank test, exact given the ties: every assignment of signs is counted. Zero
/// differences are left out; 1 where none is left.
inline double signed_rank_p(std::span<const double> differences) {
  std::vector<double> size;
  std::vector<bool> positive;
  for (const double d : differences)
    if (d != 0) {
      size.push_back(-std::abs(d));
      positive.push_back(d > 0);
    }
  if (size.empty()) return 1;
  const auto ranks = ranks_of(size);
  std::size_t total = 0, observed = 0;
  std::vector<double> ways{1};
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const auto twice = static_cast<std::size_t>(std::llround(2 * ranks[i]));  // mean ranks are halves at worst
    total += twice;
    if (positive[i]) observed += twice;
    std::vector<double> next(total + 1);
    for (std::size_t s = 0; s < ways.size(); ++s) {
      next[s] += ways[s] / 2;
      next[s + twice] += ways[s] / 2;
    }
    ways = std::move(next);
  }
  const std::size_t lower = std::min(observed, total - observed);
  const double tail = std::accumulate(ways.begin(), ways.begin() + static_cast<std::ptrdiff_t>(lower) + 1, 0.0);
  return std::min(1.0, 2 * tail);
}

/// Holm's step-down adjustment of p-values.
inline std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return p[i]; });
  std::vector<double> out(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, p[order[i]] * static_cast<double>(p.size() - i)));
    out[order[i]] = largest;
  }
  return out;
}

/// Two-sided p-value of the number of alarms among `tested` normals, when a rule "p-value at most rate" was calibrated
/// on n others: alarms follow a beta-binomial law with parameters a = ⌊rate (n + 1)⌋ and n + 1 − a.
inline double alarm_count_p(std::int64_t calibrated, std::int64_t tested, double rate, std::int64_t alarms) {
  const auto n = static_cast<double>(calibrated), m = static_cast<double>(tested);
  const double a = std::floor(rate * (n + 1) + 1e-9), b = n + 1 - a;
  if (a <= 0) return alarms == 0 ? 1 : 0;
  double below = 0, above = 0;
  for (std::int64_t k = 0; k <= tested; ++k) {
    const auto x = static_cast<double>(k);
    const double mass = std::exp(std::lgamma(m + 1) - std::lgamma(x + 1) - std::lgamma(m - x + 1) + std::lgamma(x + a) +
                                 std::lgamma(m - x + b) - std::lgamma(m + a + b) + std::lgamma(a + b) - std::lgamma(a) -
                                 std::lgamma(b));
    if (k <= alarms) below += mass;
    if (k >= alarms) above += mass;
  }
  return std::min(1.0, 2 * std::min(below, above));
}

}  // namespace adbench
