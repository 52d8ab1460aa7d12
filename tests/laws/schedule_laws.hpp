// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/continuous_vp.hpp>
#include <anodiff/schedules/cosine.hpp>
#include <anodiff/schedules/exploding.hpp>
#include <anodiff/schedules/flow_matching.hpp>
#include <anodiff/schedules/given.hpp>
#include <anodiff/schedules/laplace.hpp>
#include <anodiff/schedules/linear.hpp>
#include <anodiff/schedules/linear_added.hpp>
#include <anodiff/schedules/quadratic.hpp>
#include <anodiff/schedules/scaled_linear.hpp>
#include <anodiff/schedules/sigmoid.hpp>
#include <anodiff/schedules/zero_snr.hpp>
#include <cmath>
#include "policy_laws.hpp"

namespace laws {

using all_schedules =
    std::tuple<anodiff::schedules::continuous_vp, anodiff::schedules::cosine, anodiff::schedules::exploding,
               anodiff::schedules::flow_matching, anodiff::schedules::given, anodiff::schedules::laplace,
               anodiff::schedules::linear, anodiff::schedules::linear_added, anodiff::schedules::quadratic,
               anodiff::schedules::scaled_linear, anodiff::schedules::sigmoid,
               anodiff::schedules::zero_snr<anodiff::schedules::linear>,
               anodiff::schedules::zero_snr<anodiff::schedules::cosine>>;

/// The laws of concepts/schedule.hpp on the levels of one schedule.
template <anodiff::schedule S>
void check_schedule(const S& schedule) {
  const auto levels = schedule.levels();
  REQUIRE(!levels.empty());
  std::size_t bad = levels.size();  // the first level that breaks a law
  std::string law;
  const auto hold = [&](bool holds, std::size_t i, const char* what) {
    if (holds || i >= bad) return;
    bad = i;
    law = what;
  };
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto& l = levels[i];
    hold(std::isfinite(l.alpha) && std::isfinite(l.sigma), i, "finite");
    hold(l.sigma > 0 && l.alpha >= 0, i, "sigma > 0, alpha >= 0");
    hold(l.time == static_cast<double>(i), i, "time counts from 0");
    if (i > 0) hold(levels[i - 1].sigma * l.alpha < l.sigma * levels[i - 1].alpha, i, "sigma / alpha rises strictly");
    if (S::variance_preserving)
      hold(std::abs(l.alpha * l.alpha + l.sigma * l.sigma - 1) <= 4 * ulp, i, "alpha^2 + sigma^2 = 1");
    hold((l.alpha == 0) == (S::ends_in_pure_noise && i + 1 == levels.size()), i, "alpha is 0 at the declared end only");
  }
  INFO("level " << bad << " of " << levels.size() << ": " << law);
  CHECK(bad == levels.size());
  CHECK(schedule.levels() == levels);
}

}  // namespace laws
