// SPDX-License-Identifier: Apache-2.0
#include <anodiff/scorers/denoising_error.hpp>
#include "fixtures.hpp"

namespace denoising_error_test {

using namespace scorers_fixtures;
using scorers::denoising_error;

namespace {

using scene_type = laws::scorer_scene<cloud, denoising_error>;

scene_type scene(double variance, scorers::denoising_error_params numbers, int threads = 1) {
  return {independent(variance, threads), denoising_error{numbers}, 3};
}

}  // namespace

TEST_CASE("the denoising error keeps the laws of a scorer", "[scorers][laws]") {
  for (const auto& numbers : {scorers::denoising_error_params{}, {.levels = 3, .repeats = 2}, {.levels = 600}})
    laws::check_scorer([&](int threads) { return scene(0.7, numbers, threads); }, laws::seeded_rows(1, 29, 3));
}

TEST_CASE("denoising error: a row that is rebuilt perfectly scores 0, a displaced one by its signal to noise",
          "[scorers]") {
  // of data in one point x̂_0 = μ, so that ε̂ − ε = (alpha / sigma) (x − μ), whatever the noise
  const auto s = scene(0, {.levels = 3, .repeats = 2, .first = 0.1, .last = 0.9});
  const auto found = s.evidence(displaced());
  REQUIRE(found.extents() == shape<3>{6, 3, 3});
  for (laws::index view = 0; view < 6; ++view) {
    // the share 0.1 + 0.4 l of the way from the first of 100 levels to the last
    const auto& level =
        s.levels[static_cast<std::size_t>(std::lround((0.1 + 0.4 * static_cast<double>(view / 2)) * 99))];
    for (std::size_t e = 0; e < 9; ++e) {
      const double off = e / 3 == 1 ? 0.5 * static_cast<double>(e % 3 + 1) * level.alpha / level.sigma : 0;
      CHECK(static_cast<double>(found.row(view)[e]) == Approx(off * off).epsilon(1e-4).margin(1e-8));
    }
  }
}

TEST_CASE("denoising error: by hand, with noise that training never draws", "[scorers]") {
  constexpr double variance = 0.6;
  const auto s = scene(variance, {.levels = 2, .repeats = 2, .first = 0.2, .last = 0.6});
  const auto x = laws::seeded_rows(4, 5, 3);
  const auto found = s.evidence(x);
  for (laws::index view = 0; view < 4; ++view) {
    const noise_level level = s.levels[view < 2 ? 20 : 59];
    const noise_key key{.seed = s.seed,
                        .draw = static_cast<std::uint32_t>(view % 2),
                        .step = static_cast<std::uint32_t>(view / 2),
                        .use = purpose::scoring};
    for (laws::index i = 0; i < 5; ++i)
      for (laws::index j = 0; j < 3; ++j) {
        const double noise = random_normal(key, static_cast<std::uint64_t>(j)),
                     centre = mean[static_cast<std::size_t>(j)];
        const double y = level.alpha * static_cast<double>(x(i, j)) + level.sigma * noise;
        const double clean = centre + gain(variance, level) * (y - level.alpha * centre);
        const double wrong = noise - (y - level.alpha * clean) / level.sigma;
        CHECK(static_cast<double>(found.row(view)[static_cast<std::size_t>(3 * i + j)]) ==
              Approx(wrong * wrong).epsilon(1e-4).margin(1e-5));
      }
  }
}

TEST_CASE("denoising error: what a row costs, and numbers out of range", "[scorers]") {
  const auto s = scene(1, {.levels = 7, .repeats = 3});
  CHECK(s.scorer.network_calls(s.context()) == 21);
  CHECK_THROWS_WITH((denoising_error{{.levels = 0}}), "scorers::denoising_error: levels must lie in [1, 4096], got 0");
  CHECK_THROWS_WITH((denoising_error{{.repeats = -1}}),
                    "scorers::denoising_error: repeats must lie in [1, 4096], got -1");
  CHECK_THROWS_WITH((denoising_error{{.first = 0.6, .last = 0.5}}),
                    "scorers::denoising_error: need 0 <= first <= last <= 1, got 0.6 and 0.5");
}

TEST_CASE("denoising error: of the clean sample it is the distance to the clean estimate", "[scorers]") {
  const scorers::denoising_error_params numbers{.levels = 3, .repeats = 1, .first = 0.1, .last = 0.9};
  auto of_clean = numbers;
  of_clean.of = scorers::error_of::clean;
  const auto noise = scene(0.6, numbers), clean = scene(0.6, of_clean);
  const auto x = laws::seeded_rows(4, 5, 3);
  const auto a = noise.evidence(x), b = clean.evidence(x);
  for (laws::index view = 0; view < 3; ++view) {
    const auto& level =
        noise.levels[static_cast<std::size_t>(std::lround((0.1 + 0.4 * static_cast<double>(view)) * 99))];
    const double ratio = level.sigma / level.alpha;
    for (std::size_t e = 0; e < 15; ++e)
      CHECK(static_cast<double>(b.row(view)[e]) ==
            Approx(ratio * ratio * static_cast<double>(a.row(view)[e])).epsilon(1e-4));
  }
  // of data in one point the estimate is that point, whatever the noise
  of_clean.repeats = 2;
  const auto found = scene(0, of_clean).evidence(displaced());
  for (laws::index view = 0; view < 6; ++view)
    for (std::size_t e = 0; e < 9; ++e) {
      const double off = e / 3 == 1 ? 0.5 * static_cast<double>(e % 3 + 1) : 0;
      CHECK(static_cast<double>(found.row(view)[e]) == Approx(off * off).epsilon(1e-3).margin(1e-5));
    }
}

}  // namespace denoising_error_test
