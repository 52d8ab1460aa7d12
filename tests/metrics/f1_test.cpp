// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/metrics/f1.hpp>
#include <catch2/catch.hpp>

namespace f1_test {

namespace {

using namespace anodiff;
using metrics::f1_at_n;
using metrics::f1_max;

TEST_CASE("f1 at the true count is the share of anomalies among that many highest scores") {
  REQUIRE(f1_at_n(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{0, 0, 1, 1}) == 1);
  REQUIRE(f1_at_n(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{1, 0, 0, 1}) == 0.5);
  REQUIRE(f1_at_n(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{1, 1, 0, 0}) == 0);
}

TEST_CASE("f1 at the true count takes the mean over ties at the cut") {
  // 4 is an anomaly; one of the three scores 3, of which one is an anomaly, fills the second place
  REQUIRE(f1_at_n(std::vector{4.0, 3.0, 3.0, 3.0, 1.0}, std::vector{1, 1, 0, 0, 0}) == Approx((1 + 1.0 / 3) / 2));
  // a constant score earns the share of anomalies, wherever they stand
  REQUIRE(f1_at_n(std::vector{5.0, 5.0, 5.0, 5.0}, std::vector{1, 0, 0, 0}) == 0.25);
  REQUIRE(f1_at_n(std::vector{5.0, 5.0, 5.0, 5.0}, std::vector{0, 0, 0, 1}) == 0.25);
}

TEST_CASE("f1 max is the best over all thresholds") {
  REQUIRE(f1_max(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{0, 0, 1, 1}) == 1);
  // thresholds 0.8, 0.4, 0.35, 0.1 give 2/3, 1/2, 4/5, 2/3
  REQUIRE(f1_max(std::vector{0.1, 0.4, 0.35, 0.8}, std::vector{0, 0, 1, 1}) == Approx(0.8));
  REQUIRE(f1_max(std::vector{5.0, 5.0, 5.0}, std::vector{0, 1, 0}) == 0.5);
}

TEST_CASE("f1 max agrees with scikit-learn and bounds f1 at the true count") {
  const auto a = metrics_fixtures::set_a(), b = metrics_fixtures::set_b();
  REQUIRE(f1_max(a.scores, a.labels) == Approx(0.5454545454545454).epsilon(1e-14));
  REQUIRE(f1_max(b.scores, b.labels) == Approx(0.4347826086956522).epsilon(1e-14));
  REQUIRE(f1_at_n(a.scores, a.labels) <= f1_max(a.scores, a.labels));
  REQUIRE(f1_at_n(b.scores, b.labels) <= f1_max(b.scores, b.labels));
}

TEST_CASE("f1 names itself in its errors") {
  REQUIRE_THROWS_MATCHES(f1_at_n(std::vector{1.0}, std::vector{1}), data_error,
                         Catch::Message("f1_at_n: needs both classes, got 1 anomalies and 0 normals"));
  REQUIRE_THROWS_MATCHES(f1_max(std::vector{1.0}, std::vector{0}), data_error,
                         Catch::Message("f1_max: needs both classes, got 0 anomalies and 1 normals"));
}

}  // namespace

}  // namespace f1_test
