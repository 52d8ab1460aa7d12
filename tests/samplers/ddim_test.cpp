// SPDX-License-Identifier: Apache-2.0
#include "laws/grid_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

namespace ddim_test {

using namespace anodiff;
using laws::index;
using samplers::ddim;

namespace {

/// ᾱ of β = 0.1, 0.2, 0.3: 0.9, 0.72, 0.504.
std::vector<noise_level> three_levels() {
  auto levels = schedules::linear{{.beta_first = 0.1, .beta_last = 0.3, .steps = 3}}.levels();
  std::reverse(levels.begin(), levels.end());
  return levels;
}

}  // namespace

TEST_CASE("ddim: a step by hand", "[samplers]") {
  // eq. 12 at eta = 0: sqrt(0.72) x_0 + sqrt(0.28) eps, eps = (x - sqrt(0.504) x_0) / sqrt(0.496)
  const auto plain = ddim{}.program(three_levels());
  REQUIRE(plain.size() == 2);
  const double keep = std::sqrt(0.28 / 0.496);
  CHECK(plain[0].x_weight == Approx(keep).epsilon(1e-14));
  CHECK(plain[0].clean_weight == Approx(std::sqrt(0.72) - keep * std::sqrt(0.504)).epsilon(1e-14));
  CHECK(plain[0].noise_weight == 0);
  // eq. 16 at eta = 0.5: sigma = 0.5 sqrt(0.28 / 0.496) sqrt(1 - 0.504 / 0.72), and eps keeps sqrt(0.28 - sigma^2)
  const auto noisy = ddim{{.eta = 0.5}}.program(three_levels());
  const double drawn = 0.5 * std::sqrt(0.28 / 0.496 * 0.3), kept = std::sqrt((0.28 - drawn * drawn) / 0.496);
  CHECK(noisy[0].noise_weight == Approx(drawn).epsilon(1e-14));
  CHECK(noisy[0].x_weight == Approx(kept).epsilon(1e-14));
  CHECK(noisy[0].clean_weight == Approx(std::sqrt(0.72) - kept * std::sqrt(0.504)).epsilon(1e-14));
}

TEST_CASE("ddim: any eta reaches the noise of each level", "[samplers]") {
  auto levels = grids::trailing{}.pick(schedules::cosine{}.levels(), 20);
  for (const double eta : {0.0, 0.3, 1.0}) {
    const ddim sampler{{.eta = eta}};
    CHECK(sampler.deterministic() == (eta == 0));
    laws::check_sampler(sampler, levels);
    const auto end = laws::response(sampler.program(levels));
    CHECK(end.noise * end.noise + end.drawn == Approx(levels.back().sigma * levels.back().sigma).epsilon(1e-10));
  }
}

TEST_CASE("ddim: eta = 1 is ddpm", "[samplers]") {
  // in single steps by the papers, and in strides of any length by the form in which both are written here
  const auto schedule = schedules::linear{}.levels();
  for (const index steps : {10, 100, 1000}) {
    auto levels = grids::trailing{}.pick(schedule, steps);
    levels.push_back(clean_level);
    const auto a = ddim{{.eta = 1}}.program(levels);
    const auto b = samplers::ddpm{}.program(levels);
    REQUIRE(a.size() == b.size());
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      for (const double d : {a[i].x_weight - b[i].x_weight, a[i].clean_weight - b[i].clean_weight,
                             a[i].noise_weight - b[i].noise_weight})
        most = std::max(most, std::abs(d));
    INFO(steps);
    CHECK(most < 1e-11);
  }
}

TEST_CASE("ddim: eta = 1 where a step forgets all", "[samplers]") {
  // the noise drawn is then all the noise of the level; rounded up, it would leave the root of a negative number
  for (std::size_t i = 0; i < 2000; ++i) {
    const auto random = [&](std::size_t k, double low, double high) {
      return std::pow(10, laws::uniform(4, 4 * i + k, low, high));
    };
    const noise_level from{random(0, -30, -8), random(1, -1, 2), 0}, to{random(2, -6, 0), random(3, -2, 0) * 0.09, 0};
    const auto program = ddim{{.eta = 1}}.program(std::vector{from, to});
    const bool finite = std::isfinite(program[0].x_weight) && std::isfinite(program[0].clean_weight) &&
                        std::isfinite(program[0].noise_weight);
    if (!finite) {
      INFO("from " << from.alpha << ' ' << from.sigma << " to " << to.alpha << ' ' << to.sigma);
      CHECK(finite);
    }
  }
}

TEST_CASE("ddim: converges at first order to the probability flow", "[samplers][order]") {
  const laws::gaussian_oracle line{{0.4, 0}, 0, {0.25, 1}};  // one axis at rest: a disc of variance 1 does not move
  const laws::gaussian_oracle tilted{{0.5, -1}, 0.6, {0.09, 2.5}};
  const auto one = laws::converge(ddim{}, line), two = laws::converge(ddim{}, tilted);
  WARN("ddim on the Gaussian oracle, lambda -4 to 3\n1-D\n" << one.table() << "\n2-D\n" << two.table());
  CHECK(one.slope() == Approx(1).margin(0.05));
  CHECK(two.slope() == Approx(1).margin(0.05));
  CHECK(one.error.back() < 8e-3);
  CHECK(two.error.back() < 1.3e-2);
}

TEST_CASE("ddim: through a training schedule to the clean end", "[samplers][order]") {
  const laws::gaussian_oracle oracle{{0.5, -1}, 0.6, {0.09, 2.5}};
  double before = 1e9;
  for (const index steps : {5, 10, 20, 50, 100, 250, 1000}) {
    auto levels = grids::trailing{}.pick(schedules::cosine{}.levels(), steps);
    levels.push_back(clean_level);
    const auto program = ddim{}.program(levels);
    const laws::gaussian_oracle::point x{1.2, -0.4};
    const auto got = laws::run_program(
        std::span<const stage>{program}, x, [&](const auto& at, const auto& l) { return oracle.clean(at, l); },
        [] { return laws::gaussian_oracle::point{}; });
    const auto want = oracle.flow(x, levels.front(), clean_level);
    const double error = std::hypot(got[0] - want[0], got[1] - want[1]);
    INFO(steps << " steps: error " << error);
    CHECK(error < before);
    before = error;
  }
  CHECK(before < 5e-3);
}

TEST_CASE("ddim: data in one point is found in one step", "[samplers]") {
  const laws::gaussian_oracle dot{{0.7, -2}, 0, {0, 0}};
  const std::vector<noise_level> levels{schedules::linear{}.levels().back(), clean_level};
  const auto program = ddim{}.program(levels);
  const auto got = laws::run_program(
      std::span<const stage>{program}, laws::gaussian_oracle::point{3, 3},
      [&](const auto& at, const auto& l) { return dot.clean(at, l); }, [] { return laws::gaussian_oracle::point{}; });
  CHECK(got[0] == Approx(0.7).epsilon(1e-14));
  CHECK(got[1] == Approx(-2).epsilon(1e-14));
}

TEST_CASE("ddim: inversion finds the noise that leads to a sample", "[samplers]") {
  const laws::gaussian_oracle oracle{{0.5, -1}, 0.6, {0.09, 2.5}};
  const auto clean = [&](const auto& at, const auto& l) { return oracle.clean(at, l); };
  const auto nothing = [] { return laws::gaussian_oracle::point{}; };
  const laws::gaussian_oracle::point x{0.8, -0.2};
  double before = 1e9;
  for (const std::size_t steps : {50U, 100U, 200U, 400U}) {
    const auto levels = laws::even_in_lambda(-3, 2, steps);
    const auto up = ddim{}.inversion(levels), down = ddim{}.program(levels);
    CHECK(up.front().at == levels.back());
    CHECK(up.size() == steps);
    const auto noise = laws::run_program(std::span<const stage>{up}, x, clean, nothing);
    const auto want = oracle.flow(x, levels.back(), levels.front());
    const double error = std::hypot(noise[0] - want[0], noise[1] - want[1]);
    CHECK(error < 0.55 * before);
    before = error;
    const auto again = laws::run_program(std::span<const stage>{down}, noise, clean, nothing);
    CHECK(std::hypot(again[0] - x[0], again[1] - x[1]) < 5.0 / static_cast<double>(steps));
  }
  auto levels = laws::even_in_lambda(-3, 2, 4);
  CHECK_THROWS_WITH(ddim{{.eta = 0.5}}.inversion(levels), "samplers::ddim: inversion needs eta = 0, got 0.5");
  levels.push_back(clean_level);
  CHECK_THROWS_WITH(ddim{}.inversion(levels),
                    "samplers::ddim: inversion needs a last level with noise, got sigma = 0: begin at the schedule's "
                    "cleanest level");
}

TEST_CASE("ddim: a fixed stride agrees with the next level where the stride divides", "[samplers]") {
  const auto schedule = schedules::linear{}.levels();
  const auto picked = grids::leading{}.pick(schedule, 10);
  auto levels = picked;
  levels.push_back(clean_level);
  const auto a = ddim{}.program(levels), b = ddim{}.fixed_stride_program(schedule, picked);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i].clean_weight == b[i].clean_weight);
  CHECK_THROWS_AS(ddim{}.fixed_stride_program(schedule, {}), invalid_argument);
}

TEST_CASE("ddim: refuses eta out of range", "[samplers]") {
  CHECK_THROWS_WITH(ddim({.eta = -0.1}), "samplers::ddim: eta must lie in [0, 1], got -0.1");
  CHECK_THROWS_WITH(ddim({.eta = 1.5}), "samplers::ddim: eta must lie in [0, 1], got 1.5");
  CHECK_THROWS_AS(ddim({.eta = std::nan("")}), invalid_argument);
}

}  // namespace ddim_test
