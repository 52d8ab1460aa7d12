// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/metrics/average_precision.hpp>
#include <catch2/catch.hpp>

namespace average_precision_test {

namespace {

using namespace anodiff;
using metrics::average_precision;

TEST_CASE("average precision sums precision over gains of recall at distinct scores") {
  REQUIRE(average_precision(std::vector{1.0, 2.0, 3.0}, std::vector{0, 0, 1}) == 1);
  // recall 1/2 at precision 1, recall 1 at precision 2/3
  REQUIRE(average_precision(std::vector{0.1, 0.4, 0.35, 0.8}, std::vector{0, 0, 1, 1}) == Approx((1 + 2.0 / 3) / 2));
  // one threshold alone: the share of anomalies
  REQUIRE(average_precision(std::vector{5.0, 5.0, 5.0, 5.0}, std::vector{1, 0, 0, 0}) == 0.25);
}

TEST_CASE("average precision does not depend on the order of tied samples") {
  REQUIRE(average_precision(std::vector{2.0, 2.0, 1.0}, std::vector{1, 0, 1}) ==
          average_precision(std::vector{2.0, 2.0, 1.0}, std::vector{0, 1, 1}));
}

TEST_CASE("average precision agrees with scikit-learn") {
  const auto a = metrics_fixtures::set_a(), b = metrics_fixtures::set_b();
  REQUIRE(average_precision(a.scores, a.labels) == Approx(0.531109022556391).epsilon(1e-14));
  REQUIRE(average_precision(b.scores, b.labels) == Approx(0.3925207517578071).epsilon(1e-14));
}

TEST_CASE("average precision names itself in its errors") {
  REQUIRE_THROWS_MATCHES(average_precision(std::vector{1.0}, std::vector{1}), data_error,
                         Catch::Message("average_precision: needs both classes, got 1 anomalies and 0 normals"));
}

}  // namespace

}  // namespace average_precision_test
