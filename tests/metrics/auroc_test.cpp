// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/metrics/auroc.hpp>
#include <catch2/catch.hpp>

namespace auroc_test {

namespace {

using namespace anodiff;
using metrics::auroc;

TEST_CASE("auroc counts ordered pairs, a tie as one half") {
  REQUIRE(auroc(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{0, 0, 1, 1}) == 1);
  REQUIRE(auroc(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{1, 1, 0, 0}) == 0);
  REQUIRE(auroc(std::vector{0.1, 0.4, 0.35, 0.8}, std::vector{0, 0, 1, 1}) == 0.75);
  REQUIRE(auroc(std::vector{5.0, 5.0, 5.0}, std::vector{0, 1, 0}) == 0.5);
  // pairs: (2, 1) right, (2, 2) tie, (3, 1) and (3, 2) right
  REQUIRE(auroc(std::vector{1.0, 2.0, 2.0, 3.0}, std::vector<unsigned char>{0, 0, 1, 1}) == 3.5 / 4);
}

TEST_CASE("auroc agrees with scikit-learn") {
  const auto a = metrics_fixtures::set_a(), b = metrics_fixtures::set_b();
  REQUIRE(auroc(a.scores, a.labels) == Approx(0.7860576923076923).epsilon(1e-14));
  REQUIRE(auroc(b.scores, b.labels) == Approx(0.6399572649572649).epsilon(1e-14));
}

TEST_CASE("auroc of negated scores is one minus auroc") {
  auto set = metrics_fixtures::set_b();
  const double before = auroc(set.scores, set.labels);
  for (auto& score : set.scores) score = -score;
  REQUIRE(auroc(set.scores, set.labels) == Approx(1 - before).epsilon(1e-14));
}

TEST_CASE("auroc names itself in its errors") {
  REQUIRE_THROWS_MATCHES(auroc(std::vector{1.0}, std::vector{0}), data_error,
                         Catch::Message("auroc: needs both classes, got 0 anomalies and 1 normals"));
}

}  // namespace

}  // namespace auroc_test
