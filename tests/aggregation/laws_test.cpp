// SPDX-License-Identifier: Apache-2.0
#include "laws/aggregator_laws.hpp"

using namespace anodiff;

TEMPLATE_LIST_TEST_CASE("aggregators keep the laws of their concept", "[aggregation][laws]", laws::all_aggregators) {
  laws::check_policy<TestType>();
  laws::check_aggregator(TestType{});
}

TEST_CASE("three views by hand", "[aggregation]") {
  const std::vector<double> values{1, 2, 6};
  const std::vector<view_statistics> normal{{0, 1}, {1, 0.5}, {2, 8}};
  CHECK(aggregation::mean{}.reduce(values, {}) == 3);
  CHECK(aggregation::sum{}.reduce(values, {}) == 9);
  CHECK(aggregation::z_score{}.reduce(values, normal) == Approx((1 + 2 + 0.5) / 3).epsilon(1e-15));
  CHECK(aggregation::median{}.reduce(values, {}) == 2);
  CHECK(aggregation::median{}.reduce(std::vector{6.0, 1.0, 2.0, 4.0}, {}) == 3);
  CHECK(aggregation::minimum{}.reduce(values, {}) == 1);
  CHECK(aggregation::harmonic{}.reduce(values, {}) == Approx(1.8).epsilon(1e-15));
  CHECK(aggregation::harmonic{}.reduce(std::vector{3.0, 0.0, 5.0}, {}) == 0);
  CHECK(aggregation::z_score::needs_statistics);
  CHECK_FALSE(aggregation::mean::needs_statistics);
  CHECK_FALSE(aggregation::sum::needs_statistics);
}

TEST_CASE("every aggregator stands in the list", "[aggregation][laws]") {
  laws::check_all_listed<decltype(std::tuple_cat(laws::all_aggregators{}, laws::all_joint_aggregators{}))>(
      "aggregation");
}
