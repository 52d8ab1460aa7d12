// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/harmonic.hpp>
#include <anodiff/aggregation/joint_density.hpp>
#include <anodiff/aggregation/learned_weights.hpp>
#include <anodiff/aggregation/mean.hpp>
#include <anodiff/aggregation/median.hpp>
#include <anodiff/aggregation/minimum.hpp>
#include <anodiff/aggregation/sum.hpp>
#include <anodiff/aggregation/surprise.hpp>
#include <anodiff/aggregation/vote.hpp>
#include <anodiff/aggregation/z_score.hpp>
#include "policy_laws.hpp"

namespace laws {

using all_aggregators =
    std::tuple<anodiff::aggregation::harmonic, anodiff::aggregation::mean, anodiff::aggregation::median,
               anodiff::aggregation::minimum, anodiff::aggregation::sum, anodiff::aggregation::z_score,
               anodiff::aggregation::surprise>;

using all_joint_aggregators =
    std::tuple<anodiff::aggregation::joint_density, anodiff::aggregation::learned_weights, anodiff::aggregation::vote>;

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

/// Views (n, v) of samples whose own level is common to all, raised by `by`.
[[nodiscard]] inline anodiff::tensor<double, 2> seeded_views(std::uint64_t seed, index n, index v, double by = 0) {
  anodiff::tensor<double, 2> out{{n, v}};
  for (index i = 0; i < n; ++i)
    for (index j = 0; j < v; ++j)
      out(i, j) =
          std::exp(by + 0.5 * anodiff::random_normal({.seed = seed}, static_cast<std::uint64_t>(i)) +
                   0.2 * anodiff::random_normal({.seed = seed, .draw = 1}, static_cast<std::uint64_t>(i * v + j)));
  return out;
}

/// The laws of a joint aggregator: what it has learned is stored and read back to the same score, and, where it is no
/// count, its slope matches differences.
template <anodiff::joint_aggregator A>
void check_joint_aggregator(const A& aggregator, bool smooth) {
  for (const index views : {1, 2, 6}) {
    INFO(views << " views");
    const auto normal = seeded_views(1, 200, views), damaged = seeded_views(2, 200, views, 1);
    const auto fitted = aggregator.fit(normal.view(), damaged.view(), 3);
    CHECK(fitted.views() == views);
    std::vector<std::pair<std::string, std::vector<double>>> stored;
    fitted.tensors([&](std::string_view name, std::span<const double> values) {
      stored.emplace_back(std::string{name}, std::vector<double>(values.begin(), values.end()));
    });
    const auto read = aggregator.restored([&](std::string_view name, index count) {
      for (const auto& [key, values] : stored)
        if (key == name) {
          CHECK((count < 0 || count == static_cast<index>(values.size())));
          return values;
        }
      throw anodiff::data_error("absent");
    });
    const auto query = seeded_views(4, 20, views, 0.3);
    std::vector<double> slope(static_cast<std::size_t>(views));
    for (index i = 0; i < query.rows(); ++i) {
      std::vector<double> values(query.row(i).begin(), query.row(i).end());
      const double score = fitted.score(values, slope);
      CHECK(std::isfinite(score));
      CHECK(read.score(values, {}) == score);
      for (std::size_t v = 0; smooth && v < slope.size(); ++v) {
        const double kept = values[v], step = 1e-5;
        values[v] = kept + step;
        const double above = fitted.score(values, {});
        values[v] = kept - step;
        const double below = fitted.score(values, {});
        values[v] = kept;
        CHECK((above - below) / (2 * step) == Approx(slope[v]).epsilon(1e-5).margin(1e-5));
      }
    }
  }
}

}  // namespace laws
