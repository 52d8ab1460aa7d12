// SPDX-License-Identifier: Apache-2.0
#include "laws/grid_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

namespace churn_test {

using namespace anodiff;
using samplers::churn_params;
using samplers::euler;
using samplers::heun;

namespace {

template <class Sampler>
typename Sampler::params with_churn(double churn, double from, double to, double noise = 1) {
  typename Sampler::params p;
  p.churn = churn;
  p.from = from;
  p.to = to;
  p.noise = noise;
  return p;
}

}  // namespace

TEST_CASE("heun: a step by hand", "[samplers]") {
  // alpha 1, sigma 2 to 1: y' = y - (d + d') / 2 with d = (y - m) / 2, d' = (y1 - m1) / 1
  const auto program = heun{}.program(std::vector<noise_level>{{1, 2, 0}, {1, 1, 0}});
  REQUIRE(program.size() == 2);
  CHECK(program[0].save_x);
  CHECK(program[0].x_weight == Approx(0.5));
  CHECK(program[0].clean_weight == Approx(0.5));
  CHECK(program[1].at == noise_level{1, 1, 0});
  CHECK(program[1].saved_weight == Approx(0.75));
  CHECK(program[1].past_weight[0] == Approx(0.25));
  CHECK(program[1].x_weight == Approx(-0.5));
  CHECK(program[1].clean_weight == Approx(0.5));
}

TEST_CASE("euler without churn is ddim", "[samplers]") {
  auto levels = grids::trailing{}.pick(schedules::cosine{}.levels(), 20);
  levels.push_back(clean_level);
  const auto a = euler{}.program(levels), b = samplers::ddim{}.program(levels);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].x_weight == Approx(b[i].x_weight).margin(1e-13));
    CHECK(a[i].clean_weight == Approx(b[i].clean_weight).margin(1e-13));
  }
}

TEST_CASE("euler_ancestral is ddim with the same eta", "[samplers]") {
  auto levels = grids::trailing{}.pick(schedules::cosine{}.levels(), 20);
  levels.push_back(clean_level);
  const auto a = samplers::euler_ancestral{{.noise = 2}}.program(levels);
  const auto b = samplers::ddim{{.eta = 1}}.program(levels);
  // k-diffusion, by the ratios s, s' of noise to signal: drawn s' sqrt(s^2 - s'^2) / s
  const double s = levels[3].sigma / levels[3].alpha, t = levels[4].sigma / levels[4].alpha;
  CHECK(b[3].noise_weight == Approx(levels[4].alpha * t * std::sqrt(s * s - t * t) / s).epsilon(1e-10));
  CHECK(a[3].noise_weight == Approx(2 * b[3].noise_weight).epsilon(1e-14));
  CHECK_FALSE(samplers::euler_ancestral{}.deterministic());
  CHECK(samplers::euler_ancestral{{.noise = 0}}.deterministic());
}

TEMPLATE_TEST_CASE("churn raises the noise between steps", "[samplers]", euler, heun) {
  // gain min(churn / steps, sqrt(2) - 1), noise sqrt((1 + gain)^2 - 1) sigma
  const std::vector<noise_level> levels{{1, 8, 3}, {1, 4, 2}, {1, 1, 1}, {1, 0.1, 0}, clean_level};
  const TestType sampler{with_churn<TestType>(0.4, 0.5, 5)};
  const auto program = sampler.program(levels);
  CHECK_FALSE(sampler.deterministic());
  std::vector<noise_level> starts;
  for (const auto& s : program)
    if (starts.empty() || s.at != starts.back()) starts.push_back(s.at);
  const auto at = [&](double sigma) {
    return std::ranges::any_of(program, [&](const stage& s) { return std::abs(s.at.sigma - sigma) < 1e-12; });
  };
  CHECK(at(8));
  CHECK(at(4.4));
  CHECK(at(1.1));
  CHECK(at(0.1));  // below `from`
  double drawn = 0;
  for (const auto& s : program) drawn = std::max(drawn, s.noise_weight);
  CHECK(drawn == Approx(4 * std::sqrt(1.1 * 1.1 - 1)).epsilon(1e-12));
  laws::check_sampler(sampler, levels);
  // with a perfect estimate, each step reaches its level's noise and churn adds what raises it
  const auto end = laws::response(sampler.program(std::span{levels}.first(4)));
  CHECK(end.noise * end.noise + end.drawn == Approx(0.01).epsilon(1e-9));
}

TEST_CASE("churn keeps to the path and below the level before", "[samplers]") {
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 200);
  levels.push_back(clean_level);
  const euler sampler{{.churn = 1000}};
  const auto program = sampler.program(levels);
  for (std::size_t i = 1; i < program.size(); ++i) {
    CHECK(program[i].at.alpha * program[i].at.alpha + program[i].at.sigma * program[i].at.sigma ==
          Approx(1).epsilon(1e-12));
    CHECK(program[i].at.sigma <= levels[i - 1].sigma);
    CHECK(program[i].at.time <= levels[i - 1].time);
    CHECK(program[i].at.time >= levels[i].time);
  }
  laws::check_sampler(sampler, levels);
  laws::check_sampler(heun{with_churn<heun>(40, 0, 1e9, 1.003)}, levels);
}

TEST_CASE("churn refuses numbers out of range", "[samplers]") {
  CHECK_THROWS_WITH(euler({.churn = -1}), "samplers::euler: churn must be at least 0, got -1");
  CHECK_THROWS_WITH(heun(with_churn<heun>(0, 2, 1)), "samplers::heun: need 0 <= churn_from <= churn_to, got 2 and 1");
  CHECK_THROWS_WITH(heun(with_churn<heun>(0, 0, 1, -1)), "samplers::heun: churn_noise must be at least 0, got -1");
}

}  // namespace churn_test
