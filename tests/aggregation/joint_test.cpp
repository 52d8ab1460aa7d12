// SPDX-License-Identifier: Apache-2.0
#include <numbers>
#include "laws/aggregator_laws.hpp"

using namespace anodiff;
using aggregation::gaussian_mixture;
using aggregation::joint_density;
using aggregation::learned_weights;
using aggregation::vote;

TEMPLATE_LIST_TEST_CASE("joint aggregators keep the laws of their concept", "[aggregation][laws]",
                        laws::all_joint_aggregators) {
  laws::check_policy<TestType>();
  laws::check_joint_aggregator(TestType{}, !std::is_same_v<TestType, vote>);
}

TEST_CASE("gaussian_mixture: one component is the normal law of the points", "[aggregation]") {
  tensor<double, 2> x{{4, 2}};
  const double points[] = {-1, -1, 1, 1, -2, 2, 2, -2};
  std::copy(std::begin(points), std::end(points), x.data());
  // mean 0, variances 2.5, covariance (1 + 1 - 4 - 4) / 4 = -1.5; the ridge adds its share of 2.5
  const auto law = gaussian_mixture::fit(x.view(), 1, 1e-9, 0);
  const double determinant = 2.5 * 2.5 - 1.5 * 1.5, at[] = {1, 2};
  const double square = (2.5 * 1 + 2 * 1.5 * 2 + 2.5 * 4) / determinant;
  double slope[2];
  CHECK(law.log_density(at, slope) ==
        Approx(-square / 2 - std::log(determinant) / 2 - std::log(2 * std::numbers::pi)).epsilon(1e-6));
  CHECK(slope[0] == Approx(-(2.5 * 1 + 1.5 * 2) / determinant).epsilon(1e-6));
}

TEST_CASE("gaussian_mixture: finds the clouds there are, and chooses their number", "[aggregation]") {
  tensor<double, 2> x{{600, 2}};
  for (laws::index i = 0; i < 600; ++i)
    for (laws::index j = 0; j < 2; ++j)
      x(i, j) = (i % 3 == 0   ? 6
                 : i % 3 == 1 ? -6
                              : 0) +
                random_normal({.seed = 3}, static_cast<std::uint64_t>(2 * i + j));
  const auto law = gaussian_mixture::choose(x.view(), 6, 1e-6, 1);
  CHECK(law.components() == 3);
  std::vector<double> weights;
  law.tensors([&](std::string_view name, std::span<const double> v) {
    if (name == "weight") weights.assign(v.begin(), v.end());
  });
  for (const double w : weights) CHECK(w == Approx(1.0 / 3).margin(0.02));
  // the densest place of each cloud, as the mixture of three standard normal laws has it
  const double centre[] = {6, 6};
  CHECK(law.log_density(centre, {}) == Approx(-std::log(3.0) - std::log(2 * std::numbers::pi)).margin(0.15));
}

TEST_CASE("gaussian_mixture: equal points have a density", "[aggregation]") {
  tensor<double, 2> x{{5, 2}};
  const auto law = gaussian_mixture::choose(x.view(), 3, 0.01, 1);
  const double at[] = {0, 0}, off[] = {1, 0};
  CHECK(std::isfinite(law.log_density(at, {})));
  CHECK(law.log_density(off, {}) < law.log_density(at, {}));
}

TEST_CASE("joint_density: sees views that contradict one another, each of which is ordinary", "[aggregation]") {
  const auto normal = laws::seeded_views(1, 500, 2);
  const auto fitted = joint_density{}.fit(normal.view(), {}, 1);
  const double together[] = {std::exp(0.6), std::exp(0.6)}, apart[] = {std::exp(0.6), std::exp(-0.6)};
  CHECK(fitted.score(apart, {}) > fitted.score(together, {}) + 3);
  double least = 1e9;
  for (laws::index i = 0; i < 500; ++i) least = std::min(least, fitted.score(normal.row(i), {}));
  CHECK(least == Approx(0).margin(1e-9));
}

TEST_CASE("learned_weights: trusts the view in which damage shows", "[aggregation]") {
  auto normal = laws::seeded_views(1, 400, 3), damaged = laws::seeded_views(2, 400, 3);
  for (laws::index i = 0; i < 400; ++i) damaged(i, 1) += 2;
  const auto fitted = learned_weights{}.fit(normal.view(), damaged.view(), 0);
  CHECK(fitted.weights()[1] > 0.9);
  CHECK(fitted.weights()[0] + fitted.weights()[1] + fitted.weights()[2] == Approx(1));
  // damage that makes a view smaller is no evidence: its weight is not negative
  for (laws::index i = 0; i < 400; ++i) damaged(i, 0) -= 5;
  CHECK(learned_weights{}.fit(normal.view(), damaged.view(), 0).weights()[0] == 0);
  // damage that shows nowhere leaves all views equal
  const auto blind = learned_weights{{.ridge = 0}}.fit(normal.view(), normal.view(), 0);
  for (const double w : blind.weights()) CHECK(w == Approx(1.0 / 3));
}

TEST_CASE("vote: three views by hand", "[aggregation]") {
  tensor<double, 2> normal{{4, 3}};
  for (laws::index i = 0; i < 4; ++i)
    for (laws::index v = 0; v < 3; ++v) normal(i, v) = static_cast<double>((i + 1) * (v + 1));
  const auto fitted = vote{{.quantile = 0.75}}.fit(normal.view(), {}, 0);  // thresholds 3, 6, 9
  double part[3];
  const double values[] = {3, 6.5, 100};
  CHECK(fitted.score(values, part) == Approx(2.0 / 3));
  CHECK(part[0] == 0);
  CHECK((part[1] > 0 && part[2] > 0));
}

TEST_CASE("joint aggregators: refuse numbers out of range", "[aggregation]") {
  CHECK_THROWS_WITH(joint_density({.components = 0}),
                    "aggregation::joint_density: components must lie in [1, 64], got 0");
  CHECK_THROWS_WITH(joint_density({.ridge = 0}), "aggregation::joint_density: ridge must be above 0, got 0");
  CHECK_THROWS_WITH(learned_weights({.ridge = -1}), "aggregation::learned_weights: ridge must be at least 0, got -1");
  CHECK_THROWS_WITH(vote({.quantile = 1}), "aggregation::vote: quantile must lie in (0, 1), got 1");
}
