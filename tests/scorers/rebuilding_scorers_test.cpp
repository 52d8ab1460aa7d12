// SPDX-License-Identifier: Apache-2.0
// Scorers that compare rebuilds: by hand on independent Gaussian columns.
#include <anodiff/distances/l2.hpp>
#include <anodiff/scorers/projection_regret.hpp>
#include <anodiff/scorers/sample_disagreement.hpp>
#include <anodiff/scorers/several_starts.hpp>
#include "fixtures.hpp"

namespace rebuilding_scorers_test {

using namespace scorers_fixtures;
using regretful = scorers::projection_regret<distances::l2>;
using ladder = scorers::several_starts<distances::l2>;
using scorers::sample_disagreement;

namespace {

template <class Scorer>
laws::scorer_scene<cloud, Scorer> scene(double variance, typename Scorer::params numbers = {}, int threads = 1) {
  return {independent(variance, threads), Scorer{numbers}, 3};
}
double noise(std::uint64_t seed, laws::index draw, laws::index j) {
  return random_normal({.seed = seed, .draw = static_cast<std::uint32_t>(draw), .use = purpose::scoring},
                       static_cast<std::uint64_t>(j));
}
/// What DDIM makes of x: each level multiplies the distance to the mean, and the clean end takes the estimate.
double rebuilt(double x, double centre, double eps, double variance, std::span<const noise_level> levels) {
  double y = levels[0].alpha * x + levels[0].sigma * eps;
  for (std::size_t l = 0; l + 1 < levels.size(); ++l) {
    const double clean = centre + gain(variance, levels[l]) * (y - levels[l].alpha * centre);
    y = levels[l + 1].alpha * clean + levels[l + 1].sigma / levels[l].sigma * (y - levels[l].alpha * clean);
  }
  return y;
}

}  // namespace

TEST_CASE("scorers of rebuilds keep the laws of a scorer", "[scorers][laws]") {
  const auto x = laws::seeded_rows(1, 29, 3);
  for (const laws::index n : {2, 3, 9}) {
    laws::check_scorer([&](int threads) { return scene<sample_disagreement>(0.7, {.repeats = n}, threads); }, x);
    laws::check_scorer([&](int threads) { return scene<regretful>(0.7, {.repeats = n}, threads); }, x);
    laws::check_scorer([&](int threads) { return scene<ladder>(0.7, {.starts = n}, threads); }, x);
  }
}

TEST_CASE("sample disagreement: by hand, and 0 where all rebuilds are one point", "[scorers]") {
  constexpr double variance = 0.6;
  const auto s = scene<sample_disagreement>(variance, {.repeats = 4});
  const auto levels = s.context().run_levels();
  const auto x = laws::seeded_rows(4, 5, 3);
  const auto found = s.evidence(x);
  REQUIRE(found.extents() == shape<3>{1, 5, 3});
  for (laws::index i = 0; i < 5; ++i)
    for (laws::index j = 0; j < 3; ++j) {
      double sum = 0, square = 0;
      for (laws::index r = 0; r < 4; ++r) {
        const double value = rebuilt(static_cast<double>(x(i, j)), mean[static_cast<std::size_t>(j)],
                                     noise(s.seed, r, j), variance, levels);
        sum += value;
        square += value * value;
      }
      CHECK(static_cast<double>(found.row(0)[static_cast<std::size_t>(3 * i + j)]) ==
            Approx((square - sum * sum / 4) / 3).epsilon(1e-3));
    }
  const auto point = scene<sample_disagreement>(0).evidence(x);
  for (const float e : point.flat()) CHECK(static_cast<double>(e) == Approx(0).margin(1e-10));
  auto still = scene<sample_disagreement>(variance);
  still.from = start::scaled(0.25);
  const auto same = still.evidence(x);
  for (const float e : same.flat()) CHECK(e == 0);
}

TEST_CASE("projection regret: by hand, and 0 where a rebuild brings back the row", "[scorers]") {
  constexpr double variance = 0.6;
  const auto s = scene<regretful>(variance, {.repeats = 3});
  const auto levels = s.context().run_levels();
  const auto x = laws::seeded_rows(4, 5, 3);
  const auto found = s.evidence(x);
  REQUIRE(found.extents() == shape<3>{3, 5, 3});
  for (laws::index r = 0; r < 3; ++r)
    for (laws::index i = 0; i < 5; ++i)
      for (laws::index j = 0; j < 3; ++j) {
        const double from = static_cast<double>(x(i, j)), centre = mean[static_cast<std::size_t>(j)];
        const double once = rebuilt(from, centre, noise(s.seed, r, j), variance, levels);
        const double twice = rebuilt(once, centre, noise(s.seed, 3 + r, j), variance, levels);
        CHECK(static_cast<double>(found.row(r)[static_cast<std::size_t>(3 * i + j)]) ==
              Approx(std::pow(from - once, 2) - std::pow(once - twice, 2)).epsilon(1e-3).margin(1e-5));
      }
  // of data in one point every row is projected there, and the second projection takes nothing away
  const auto point = scene<regretful>(0, {.repeats = 1}).evidence(displaced());
  for (std::size_t e = 0; e < 9; ++e) {
    const double off = e / 3 == 1 ? 0.5 * static_cast<double>(e % 3 + 1) : 0;
    CHECK(static_cast<double>(point.flat()[e]) == Approx(off * off).epsilon(1e-4).margin(1e-9));
  }
}

TEST_CASE("several starts: each view is the rebuild from one level of the run", "[scorers]") {
  constexpr double variance = 0.6;
  auto s = scene<ladder>(variance, {.starts = 3});
  s.steps = 7;
  const auto levels = s.context().run_levels();
  REQUIRE(levels.size() == 8);
  const auto x = laws::seeded_rows(4, 5, 3);
  const auto found = s.evidence(x);
  REQUIRE(found.extents() == shape<3>{3, 5, 3});
  const std::array<std::size_t, 3> first{0, 2, 4};
  for (laws::index v = 0; v < 3; ++v)
    for (laws::index i = 0; i < 5; ++i)
      for (laws::index j = 0; j < 3; ++j) {
        const double from = static_cast<double>(x(i, j));
        const double made = rebuilt(from, mean[static_cast<std::size_t>(j)], noise(s.seed, v, j), variance,
                                    std::span{levels}.subspan(first[static_cast<std::size_t>(v)]));
        CHECK(static_cast<double>(found.row(v)[static_cast<std::size_t>(3 * i + j)]) ==
              Approx(std::pow(from - made, 2)).epsilon(1e-3).margin(1e-5));
      }
  CHECK(s.scorer.network_calls(s.context()) == 7 + 5 + 3);
  s.steps = 2;  // no more starts than levels
  CHECK(s.evidence(x).extent(0) == 2);
  CHECK(s.scorer.network_calls(s.context()) == 2 + 1);
}

TEST_CASE("scorers of rebuilds: what a row costs, and numbers out of range", "[scorers]") {
  const auto d = scene<sample_disagreement>(1, {.repeats = 6});
  CHECK(d.scorer.network_calls(d.context()) == 30);
  const auto p = scene<regretful>(1, {.repeats = 6});
  CHECK(p.scorer.network_calls(p.context()) == 60);
  CHECK_THROWS_WITH((sample_disagreement{{.repeats = 1}}),
                    "scorers::sample_disagreement: repeats must lie in [2, 4096], got 1");
  CHECK_THROWS_WITH((regretful{{.repeats = 0}}), "scorers::projection_regret: repeats must lie in [1, 4096], got 0");
  CHECK_THROWS_WITH((ladder{{.starts = 5000}}), "scorers::several_starts: starts must lie in [1, 4096], got 5000");
}

}  // namespace rebuilding_scorers_test
