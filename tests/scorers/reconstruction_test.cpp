// SPDX-License-Identifier: Apache-2.0
#include <anodiff/distances/l1.hpp>
#include <anodiff/distances/l2.hpp>
#include <anodiff/scorers/reconstruction.hpp>
#include "fixtures.hpp"

namespace reconstruction_test {

using namespace scorers_fixtures;
using by_l1 = scorers::reconstruction<distances::l1>;
using by_l2 = scorers::reconstruction<distances::l2>;

namespace {

template <class Scorer>
laws::scorer_scene<cloud, Scorer> scene(double variance, laws::index repeats = 1, int threads = 1) {
  return {independent(variance, threads), Scorer{{.repeats = repeats}}, 3};
}

}  // namespace

TEST_CASE("reconstruction keeps the laws of a scorer", "[scorers][laws]") {
  for (const auto from : {start::noised(0.5), start::scaled(0.5), start::clean(0.5)})
    laws::check_scorer(
        [&](int threads) {
          auto s = scene<by_l2>(0.7, 2, threads);
          s.from = from;
          return s;
        },
        laws::seeded_rows(1, 29, 3));
}

TEST_CASE("reconstruction: a perfect rebuild scores 0, and a displaced row its displacement", "[scorers]") {
  // of data in one point, whatever the start: the run ends in that point
  const auto x = displaced();
  for (const auto from : {start::noised(0.5), start::scaled(0.5), start::clean(0.5)}) {
    auto l1 = scene<by_l1>(0);
    auto l2 = scene<by_l2>(0, 2);
    l1.from = l2.from = from;
    const auto absolute = l1.evidence(x), square = l2.evidence(x);
    CHECK(absolute.extents() == shape<3>{1, 3, 3});
    CHECK(square.extents() == shape<3>{2, 3, 3});
    for (std::size_t e = 0; e < 9; ++e) {
      const double off = e / 3 == 1 ? 0.5 * static_cast<double>(e % 3 + 1) : 0;
      CHECK(static_cast<double>(absolute.row(0)[e]) == Approx(off).margin(1e-6));
      for (const laws::index view : {0, 1})
        CHECK(static_cast<double>(square.row(view)[e]) == Approx(off * off).margin(1e-6));
    }
  }
}

TEST_CASE("reconstruction: one step by hand, with noise that training never draws", "[scorers]") {
  // from alpha x + sigma ε one step to the clean end gives μ + gain (alpha x + sigma ε − alpha μ)
  constexpr double variance = 0.6;
  auto s = scene<by_l1>(variance, 3);
  s.from = start::noised(0.3);
  s.steps = 1;
  const noise_level level = s.levels[29];
  const auto x = laws::seeded_rows(4, 6, 3);
  const auto found = s.evidence(x);
  for (laws::index r = 0; r < 3; ++r)
    for (laws::index i = 0; i < 6; ++i)
      for (laws::index j = 0; j < 3; ++j) {
        const noise_key key{.seed = s.seed, .draw = static_cast<std::uint32_t>(r), .use = purpose::scoring};
        const double noise = random_normal(key, static_cast<std::uint64_t>(j)), value = static_cast<double>(x(i, j)),
                     centre = mean[static_cast<std::size_t>(j)];
        const double rebuilt = centre + gain(variance, level) * (level.alpha * (value - centre) + level.sigma * noise);
        CHECK(static_cast<double>(found.row(r)[static_cast<std::size_t>(3 * i + j)]) ==
              Approx(std::abs(value - rebuilt)).margin(1e-5));
      }
}

TEST_CASE("reconstruction: what a row costs, and numbers out of range", "[scorers]") {
  auto s = scene<by_l1>(1, 4);
  CHECK(s.scorer.network_calls(s.context()) == 4 * 5);
  s.from.depth = 0.02;  // two levels are in reach
  CHECK(s.scorer.network_calls(s.context()) == 4 * 2);
  CHECK_THROWS_WITH((by_l1{{.repeats = 0}}), "scorers::reconstruction: repeats must lie in [1, 4096], got 0");
  CHECK_THROWS_AS((by_l1{{.repeats = 4097}}), invalid_argument);
}

}  // namespace reconstruction_test
