// SPDX-License-Identifier: Apache-2.0
// Scorers that read the density: on independent Gaussian columns all of them have exact values.
#include <anodiff/scorers/elbo.hpp>
#include <anodiff/scorers/score_norm.hpp>
#include <numbers>
#include "fixtures.hpp"

namespace density_scorers_test {

using namespace scorers_fixtures;

namespace {

template <class Scorer>
laws::scorer_scene<cloud, Scorer> scene(double variance, typename Scorer::params numbers = {}, int threads = 1) {
  return {independent(variance, threads), Scorer{numbers}, 3};
}
/// Variance of x_t.
double power(double variance, const noise_level& l) { return l.alpha * l.alpha * variance + l.sigma * l.sigma; }

struct moments {
  double first = 0, second = 1;
};
/// The bound that a chain gives on −log p of a column `off` away from its mean `centre`, with the moments of the noise
/// that each level has drawn; without any, in the limit of many draws.
double bound(const std::vector<noise_level>& levels, double variance, double centre, double off,
             const std::vector<moments>& drawn = {}) {
  double sum = 0;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const auto& level = levels[l];
    const moments m = drawn.empty() ? moments{} : drawn[l];
    const double v = power(variance, level), signal = level.alpha * level.alpha;
    // ε − ε̂ = (alpha² variance / v) ε − (sigma alpha / v) off
    const double noise = signal * variance / v, shift = level.sigma * level.alpha / v * off;
    const auto snr = [](const noise_level& at) { return at.alpha * at.alpha / (at.sigma * at.sigma); };
    sum += (l == 0 ? 0.5 : 0.5 * (snr(levels[l - 1]) / snr(level) - 1)) *
           (noise * noise * m.second - 2 * noise * shift * m.first + shift * shift);
  }
  const auto &top = levels.back(), &bottom = levels.front();
  const double x = centre + off;
  return sum + 0.5 * std::log(2 * std::numbers::pi * std::pow(bottom.sigma / bottom.alpha, 2)) +
         0.5 * (top.alpha * top.alpha * x * x + top.sigma * top.sigma - 1 - 2 * std::log(top.sigma));
}

}  // namespace

TEST_CASE("levels even in lambda: the ends, a geometric sequence, and what is out of reach", "[scorers]") {
  const auto schedule = schedules::linear{{.steps = 100}}.levels();
  const auto whole = scorers::even_in_lambda(schedule, 7);
  REQUIRE(whole.size() == 7);
  CHECK(whole.front() == schedule.front());
  CHECK(whole.back() == schedule.back());
  for (std::size_t i = 2; i < 7; ++i)
    CHECK(whole[i].lambda() - whole[i - 1].lambda() == Approx(whole[1].lambda() - whole[0].lambda()).epsilon(1e-9));
  const auto some = scorers::even_in_lambda(schedule, 3, 0.1, 0.4);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(some[i].sigma / some[i].alpha == Approx(0.1 * std::pow(2, static_cast<double>(i))).epsilon(1e-9));
    CHECK(power(1, some[i]) == Approx(1).epsilon(1e-12));
    CHECK(some[i].time > 0);
    CHECK(some[i].time < 99);
  }
  CHECK(scorers::even_in_lambda(schedule, 1, 0.1, 0.4)[0].lambda() == Approx(-std::log(0.4)));
  CHECK(scorers::even_in_lambda(std::span{schedule}.first(1), 1)[0] == schedule.front());
  CHECK_THROWS_WITH(scorers::even_in_lambda(schedule, 3, 0.1, 1e6),
                    Catch::StartsWith("scorers: noise to signal from 0.1") && Catch::Contains("is wanted"));
  CHECK_THROWS_AS(scorers::even_in_lambda(schedule, 3, 1e-6, 1), invalid_argument);
}

TEST_CASE("the ELBO keeps the laws of a scorer", "[scorers][laws]") {
  for (const auto& numbers : {scorers::elbo_params{}, {.levels = 3, .repeats = 2}, {.levels = 600}})
    laws::check_scorer([&](int threads) { return scene<scorers::elbo>(0.7, numbers, threads); },
                       laws::seeded_rows(1, 29, 3));
}

TEST_CASE("ELBO: the closed form of the bound, by hand with the noise that was drawn", "[scorers]") {
  constexpr double variance = 0.6;
  constexpr laws::index levels = 12, repeats = 40;
  const auto s = scene<scorers::elbo>(variance, {.levels = levels, .repeats = repeats});
  const auto found = s.evidence(displaced());
  REQUIRE(found.extent(0) == levels * repeats + 1);
  for (laws::index j = 0; j < 3; ++j) {
    std::vector<moments> drawn;
    for (laws::index l = 0; l < levels; ++l) {
      moments m{0, 0};
      for (laws::index r = 0; r < repeats; ++r) {
        const double eps = random_normal({.seed = s.seed,
                                          .draw = static_cast<std::uint32_t>(r),
                                          .step = static_cast<std::uint32_t>(l),
                                          .use = purpose::scoring},
                                         static_cast<std::uint64_t>(j));
        m.first += eps / repeats;
        m.second += eps * eps / repeats;
      }
      drawn.push_back(m);
    }
    for (laws::index i = 0; i < 2; ++i) {
      double sum = 0;
      for (laws::index v = 0; v < found.extent(0); ++v)
        sum += static_cast<double>(found.row(v)[static_cast<std::size_t>(3 * i + j)]);
      const double off = i == 1 ? 0.5 * static_cast<double>(j + 1) : 0;
      CHECK(sum == Approx(bound(scorers::even_in_lambda(s.levels, levels), variance, mean[static_cast<std::size_t>(j)],
                                off, drawn))
                       .epsilon(1e-3));
    }
  }
}

TEST_CASE("ELBO: the gap to −log p is above 0 and of first order in the stride", "[scorers]") {
  // a prior with alpha near 0 and a decoder with sigma near 0 leave nothing but the strides
  constexpr double variance = 0.6, centre = 0.5;
  const auto schedule = schedules::linear{}.levels();
  for (const double off : {0.0, 0.5, 1.5}) {
    const double density = 0.5 * std::log(2 * std::numbers::pi * variance) + off * off / (2 * variance);
    const auto gap = [&](laws::index levels) {
      return bound(scorers::even_in_lambda(schedule, levels), variance, centre, off) - density;
    };
    const double coarse = gap(1001), fine = gap(2001);
    INFO("off " << off << ", gaps " << coarse << " and " << fine);
    CHECK(fine > 0);
    CHECK(coarse > fine);
    CHECK(2 * fine - coarse == Approx(0).margin(1e-3));  // what is left as the stride goes to 0
  }
}

TEST_CASE("ELBO: strides of one have the weights of Ho et al.", "[scorers]") {
  const auto schedule = schedules::linear{{.steps = 50}}.levels();
  for (std::size_t t = 1; t < schedule.size(); ++t) {
    const double bar = std::pow(schedule[t].alpha, 2), bar_before = std::pow(schedule[t - 1].alpha, 2);
    const double alpha = bar / bar_before, beta = 1 - alpha;
    const double posterior = beta * (1 - bar_before) / (1 - bar);
    const double ours = std::expm1(2 * (schedule[t - 1].lambda() - schedule[t].lambda())) / 2;
    CHECK(ours == Approx(beta * beta / (2 * posterior * alpha * (1 - bar))).epsilon(1e-9));
  }
}

TEST_CASE("the score norm keeps the laws of a scorer", "[scorers][laws]") {
  for (const auto& numbers : {scorers::score_norm_params{}, {.levels = 1}, {.levels = 600}})
    laws::check_scorer([&](int threads) { return scene<scorers::score_norm>(0.7, numbers, threads); },
                       laws::seeded_rows(1, 29, 3));
}

TEST_CASE("score norm: σ² times the squared score of the blurred data", "[scorers]") {
  constexpr double variance = 0.6;
  const auto s = scene<scorers::score_norm>(variance, {.levels = 3, .least = 0.25, .most = 1});
  const auto found = s.evidence(displaced());
  REQUIRE(found.extents() == shape<3>{3, 3, 3});
  for (laws::index v = 0; v < 3; ++v) {
    const double sigma = 0.25 * std::pow(2, static_cast<double>(v));
    for (std::size_t e = 0; e < 9; ++e) {
      const double off = e / 3 == 1 ? 0.5 * static_cast<double>(e % 3 + 1) : 0;
      const double score = -off / (variance + sigma * sigma);
      CHECK(static_cast<double>(found.row(v)[e]) == Approx(std::pow(sigma * score, 2)).epsilon(1e-4).margin(1e-9));
    }
  }
}

TEST_CASE("density scorers: what a row costs, and numbers out of range", "[scorers]") {
  const auto e = scene<scorers::elbo>(1, {.levels = 7, .repeats = 3});
  CHECK(e.scorer.network_calls(e.context()) == 21);
  const auto n = scene<scorers::score_norm>(1, {.levels = 7});
  CHECK(n.scorer.network_calls(n.context()) == 7);
  CHECK_THROWS_WITH((scorers::elbo{{.levels = 1}}), "scorers::elbo: levels must lie in [2, 4096], got 1");
  CHECK_THROWS_WITH((scorers::elbo{{.repeats = 0}}), "scorers::elbo: repeats must lie in [1, 4096], got 0");
  CHECK_THROWS_WITH((scorers::score_norm{{.levels = 0}}), "scorers::score_norm: levels must lie in [1, 4096], got 0");
  CHECK_THROWS_WITH((scorers::score_norm{{.least = 2, .most = 1}}),
                    "scorers::score_norm: need 0 < least <= most, got 2 and 1");
}

}  // namespace density_scorers_test
