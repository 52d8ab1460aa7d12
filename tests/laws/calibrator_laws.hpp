// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/calibration/conformal.hpp>
#include <anodiff/calibration/local_conformal.hpp>
#include <anodiff/calibration/mad.hpp>
#include <anodiff/calibration/peaks_over_threshold.hpp>
#include <anodiff/calibration/prototype_conformal.hpp>
#include <anodiff/calibration/quantile.hpp>
#include "policy_laws.hpp"

namespace laws {

using all_calibrators = std::tuple<anodiff::calibration::conformal, anodiff::calibration::mad,
                                   anodiff::calibration::peaks_over_threshold, anodiff::calibration::quantile>;

using all_place_calibrators =
    std::tuple<anodiff::calibration::local_conformal, anodiff::calibration::prototype_conformal>;

/// Seeded scores; with `steps` > 0 only that many different ones, so that most are tied.
[[nodiscard]] inline std::vector<double> scores(std::uint64_t seed, std::size_t n, int steps = 0) {
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = uniform(seed, i, 0, 1);
    if (steps > 0) out[i] = std::floor(out[i] * steps);
  }
  return out;
}

/// The laws of concepts/calibrator.hpp for one set of calibration scores.
template <anodiff::calibrator C>
void check_calibrator(const C& calibrator, const std::vector<double>& given) {
  const auto fitted = calibrator.fit(given);
  CHECK(fitted.promised() == calibrator.parameters().alpha);
  CHECK(std::isfinite(fitted.threshold()));

  double before = 1;
  bool falls = true, in_range = true;
  for (double s = -1; s <= 8; s += 0.01) {
    const double p = fitted.p_value(s);
    falls = falls && p <= before;
    in_range = in_range && p > 0 && p <= 1;
    before = p;
  }
  CHECK(falls);
  CHECK(in_range);

  // what scores() stores makes the same again, in whatever order
  std::vector<double> stored(fitted.scores().begin(), fitted.scores().end());
  CHECK(stored.size() == given.size());
  std::reverse(stored.begin(), stored.end());
  const auto again = calibrator.fit(stored);
  CHECK(again.threshold() == fitted.threshold());
  for (const double s : given) CHECK(again.p_value(s) == fitted.p_value(s));
}

}  // namespace laws
