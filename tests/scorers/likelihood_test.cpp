// SPDX-License-Identifier: Apache-2.0
// The likelihood of Gaussian data has a closed form.
#include <anodiff/scorers/likelihood.hpp>
#include <numbers>
#include "fixtures.hpp"

namespace likelihood_test {

using namespace scorers_fixtures;
using scorers::likelihood;

namespace {

laws::scorer_scene<cloud, likelihood> scene(double variance, likelihood::params numbers = {}, int threads = 1) {
  return {independent(variance, threads), likelihood{numbers}, 3};
}
/// What the flow gives in the limit of many steps for a row `off` away from its mean: −log N(off; 0, variance + ρ²), ρ
/// the first level's, but for the last level, where the row is taken for standard normal.
double surprise(double off, double centre, double variance, double first, double last) {
  const double v = variance + first * first, z = off / std::sqrt(v), c = 1 / std::sqrt(1 + last * last);
  const double deviation = c * std::sqrt(variance + last * last), end = c * centre + deviation * z;
  return 0.5 * std::log(2 * std::numbers::pi * v) + end * end / 2 - std::log(deviation);
}

}  // namespace

TEST_CASE("likelihood keeps the laws of a scorer", "[scorers][laws]") {
  for (const auto& numbers : {likelihood::params{}, {.steps = 1, .probes = 3}, {.steps = 4, .probes = 0, .least = 0.1}})
    laws::check_scorer([&](int threads) { return scene(0.7, numbers, threads); }, laws::seeded_rows(1, 29, 3));
}

TEST_CASE("likelihood: the exact density of independent columns, one by one", "[scorers]") {
  for (const double variance : {0.3, 1.0, 2.0})
    for (const laws::index probes : {0, 1}) {  // a diagonal Jacobian is seen exactly by one probe of signs
      const auto s = scene(variance, {.steps = 100, .probes = probes});
      const auto found = s.evidence(displaced());
      REQUIRE(found.extents() == shape<3>{1, 3, 3});
      for (std::size_t e = 0; e < 9; ++e) {
        const double off = e / 3 == 1 ? 0.5 * static_cast<double>(e % 3 + 1) : 0;
        INFO("variance " << variance << ", probes " << probes << ", element " << e);
        CHECK(static_cast<double>(found.flat()[e]) ==
              Approx(surprise(off, mean[e % 3], variance, s.levels.front().sigma / s.levels.front().alpha, 10))
                  .margin(0.01));
      }
    }
}

TEST_CASE("likelihood: standard normal data stands still, whatever the steps", "[scorers]") {
  auto s = scene(1, {.steps = 2, .probes = 0});
  s.model.assume(Eigen::VectorXd::Zero(3), Eigen::MatrixXd::Identity(3, 3));
  const auto x = laws::seeded_rows(2, 5, 3);
  const auto found = s.evidence(x);
  for (std::size_t e = 0; e < 15; ++e) {
    const double off = static_cast<double>(x.flat()[e]);
    CHECK(static_cast<double>(found.flat()[e]) ==
          Approx(0.5 * std::log(2 * std::numbers::pi) + off * off / 2).margin(2e-3));
  }
}

TEST_CASE("likelihood: correlated columns, exactly and by random probes", "[scorers]") {
  Eigen::MatrixXd covariance(3, 3);
  covariance << 1, 0.7, 0.2, 0.7, 1, 0.4, 0.2, 0.4, 0.8;
  const Eigen::Vector3d centre = Eigen::Vector3d::Zero();
  const auto x = laws::seeded_rows(4, 6, 3);
  const auto sums = [&](laws::index steps, laws::index probes) {
    auto s = scene(1, {.steps = steps, .probes = probes});
    s.model.assume(centre, covariance);
    const auto found = s.evidence(x);
    std::vector<double> out(6);
    for (std::size_t e = 0; e < 18; ++e) out[e / 3] += static_cast<double>(found.flat()[e]);
    return out;
  };
  const auto exact = sums(80, 0), random = sums(80, 64), rough = sums(10, 0), finer = sums(20, 0);
  double first = 0, second = 0;
  for (laws::index i = 0; i < 6; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Eigen::Vector3d off = Eigen::Map<const Eigen::Vector3f>(x.row(i).data()).cast<double>();
    const double density = 1.5 * std::log(2 * std::numbers::pi) + 0.5 * std::log(covariance.determinant()) +
                           0.5 * off.dot(covariance.ldlt().solve(off));
    CHECK(exact[at] == Approx(density).epsilon(0.01));   // the law at the end: of order (Σ − 1) / most²
    CHECK(random[at] == Approx(exact[at]).margin(0.6));  // the trace of off-diagonal signs: sd about 0.2
    first += std::abs(rough[at] - exact[at]);
    second += std::abs(finer[at] - exact[at]);
  }
  INFO("error of ten steps " << first << ", of twenty " << second);
  CHECK(first > 3 * second);  // of second order
}

TEST_CASE("likelihood: what a row costs, and numbers out of range", "[scorers]") {
  const auto some = scene(1, {.steps = 7, .probes = 3}), exact = scene(1, {.steps = 7, .probes = 0});
  CHECK(some.scorer.network_calls(some.context()) == 14 + 48);
  CHECK(exact.scorer.network_calls(exact.context()) == 14 + 48);
  CHECK_THROWS_WITH((likelihood{{.steps = 0}}), "scorers::likelihood: steps must lie in [1, 4096], got 0");
  CHECK_THROWS_WITH((likelihood{{.probes = -1}}), "scorers::likelihood: probes must lie in [0, 4096], got -1");
  CHECK_THROWS_WITH((likelihood{{.least = 2, .most = 1}}),
                    "scorers::likelihood: most must be above least, got 1 and 2");
  auto wide = exact;
  wide.row_size = 65;
  CHECK_THROWS_WITH(wide.scorer.prepare(wide.context(), 1),
                    "scorers::likelihood: an exact divergence (probes = 0) is for at most 64 columns, got 65");
}

}  // namespace likelihood_test
