// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/harmonic.hpp>
#include <anodiff/aggregation/mean.hpp>
#include <anodiff/aggregation/median.hpp>
#include <anodiff/aggregation/minimum.hpp>
#include <anodiff/aggregation/sum.hpp>
#include <anodiff/aggregation/surprise.hpp>
#include <anodiff/aggregation/z_score.hpp>
#include "policy_laws.hpp"

namespace laws {

using all_aggregators =
    std::tuple<anodiff::aggregation::harmonic, anodiff::aggregation::mean, anodiff::aggregation::median,
               anodiff::aggregation::minimum, anodiff::aggregation::sum, anodiff::aggregation::z_score,
               anodiff::aggregation::surprise>;

/// The laws of concepts/aggregator.hpp on seeded views.
template <anodiff::aggregator A>
void check_aggregator(const A& aggregator) {
  for (const std::size_t views : std::initializer_list<std::size_t>{1, 2, 3, 10, 40}) {
    INFO(views << " views");
    std::vector<double> values(views);
    std::vector<anodiff::view_statistics> normal(views);
    for (std::size_t i = 0; i < views; ++i) {
      values[i] = uniform(views, 3 * i, -2, 5);
      normal[i] = {uniform(views, 3 * i + 1, -1, 1), uniform(views, 3 * i + 2, 0.1, 3)};
    }
    const double before = aggregator.reduce(values, normal);
    CHECK(std::isfinite(before));

    auto moved_values = values;
    auto moved_normal = normal;
    std::reverse(moved_values.begin(), moved_values.end());
    std::reverse(moved_normal.begin(), moved_normal.end());
    CHECK(aggregator.reduce(moved_values, moved_normal) == Approx(before).epsilon(1e-12));

    for (std::size_t i = 0; i < views; ++i) {
      auto raised = values;
      raised[i] += 0.5;
      CHECK(aggregator.reduce(raised, normal) >= before);
    }
    const std::vector<anodiff::view_statistics> neutral(1);
    CHECK(aggregator.reduce(std::vector{values[0]}, neutral) == values[0]);
  }
}

}  // namespace laws
