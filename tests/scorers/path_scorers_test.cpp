// SPDX-License-Identifier: Apache-2.0
// Scorers that follow the flow from a row to noise: by hand on independent Gaussian columns.
#include <anodiff/scorers/diffpath.hpp>
#include <anodiff/scorers/round_trip.hpp>
#include "fixtures.hpp"

namespace path_scorers_test {

using namespace scorers_fixtures;
using scorers::diffpath;
using scorers::round_trip;

namespace {

template <class Scorer>
laws::scorer_scene<cloud, Scorer> scene(double variance, typename Scorer::params numbers = {}, int threads = 1) {
  return {independent(variance, threads), Scorer{numbers}, 3};
}
/// ε̂ over the distance of y from alpha mean.
double seen(double variance, const noise_level& l) {
  return l.sigma / (l.alpha * l.alpha * variance + l.sigma * l.sigma);
}
/// What a DDIM step makes of the distance from alpha mean.
double factor(double variance, const noise_level& from, const noise_level& to) {
  return to.alpha * gain(variance, from) + to.sigma * seen(variance, from);
}

}  // namespace

TEST_CASE("scorers of the path keep the laws of a scorer", "[scorers][laws]") {
  const auto x = laws::seeded_rows(1, 29, 3);
  for (const laws::index n : {2, 10}) {
    laws::check_scorer([&](int threads) { return scene<diffpath>(0.7, {.levels = n}, threads); }, x);
    laws::check_scorer([&](int threads) { return scene<round_trip>(0.7, {.steps = n}, threads); }, x);
  }
}

TEST_CASE("round trip: by hand, and the error falls with the steps", "[scorers]") {
  constexpr double variance = 0.3;
  const auto error = [&](laws::index steps) {
    const auto s = scene<round_trip>(variance, {.steps = steps, .most = 3});
    const auto levels = scorers::even_in_lambda(s.levels, steps + 1, 0, 3);
    double kept = 1;
    for (std::size_t l = 0; l + 1 < levels.size(); ++l)
      kept *= factor(variance, levels[l], levels[l + 1]) * factor(variance, levels[l + 1], levels[l]);
    const auto found = s.evidence(displaced());
    REQUIRE(found.extents() == shape<3>{1, 3, 3});
    for (std::size_t e = 0; e < 9; ++e) {
      const double off = e / 3 == 1 ? 0.5 * static_cast<double>(e % 3 + 1) : 0;
      CHECK(static_cast<double>(found.flat()[e]) == Approx(std::pow((kept - 1) * off, 2)).epsilon(1e-3).margin(1e-9));
    }
    return static_cast<double>(found.flat()[5]);
  };
  const double five = error(5), ten = error(10);
  CHECK(five > 2.5 * ten);
  CHECK(ten > 2.5 * error(20));
}

TEST_CASE("diffpath: by hand", "[scorers]") {
  constexpr double variance = 0.3;
  const auto s = scene<diffpath>(variance, {.levels = 4});
  const auto levels = scorers::even_in_lambda(s.levels, 4);
  const auto found = s.evidence(displaced());
  REQUIRE(found.extents() == shape<3>{6, 3, 3});
  for (std::size_t e = 0; e < 9; ++e) {
    double off = levels[0].alpha * (e / 3 == 1 ? 0.5 * static_cast<double>(e % 3 + 1) : 0), before = 0;
    std::array<double, 6> expected{};
    for (std::size_t l = 0; l < 4; ++l) {
      const double noise = seen(variance, levels[l]) * off;
      for (int p = 1; p <= 3; ++p) {
        const auto at = static_cast<std::size_t>(p - 1);
        expected[at] += std::pow(std::abs(noise), p) / 4;
        if (l > 0)
          expected[3 + at] += std::pow(std::abs(noise - before) / (levels[l - 1].lambda() - levels[l].lambda()), p) / 3;
      }
      before = noise;
      if (l < 3) off *= factor(variance, levels[l], levels[l + 1]);
    }
    for (laws::index v = 0; v < 6; ++v)
      CHECK(static_cast<double>(found.row(v)[e]) ==
            Approx(expected[static_cast<std::size_t>(v)]).epsilon(1e-3).margin(1e-5));
  }
}

TEST_CASE("scorers of the path: what a row costs, and numbers out of range", "[scorers]") {
  const auto d = scene<diffpath>(1, {.levels = 6});
  CHECK(d.scorer.network_calls(d.context()) == 6);
  const auto r = scene<round_trip>(1, {.steps = 6});
  CHECK(r.scorer.network_calls(r.context()) == 12);
  CHECK_THROWS_WITH((diffpath{{.levels = 1}}), "scorers::diffpath: levels must lie in [2, 4096], got 1");
  CHECK_THROWS_WITH((round_trip{{.steps = 0}}), "scorers::round_trip: steps must lie in [1, 4096], got 0");
  CHECK_THROWS_WITH((round_trip{{.most = 0}}), "scorers::round_trip: most must be above 0, got 0");
}

}  // namespace path_scorers_test
