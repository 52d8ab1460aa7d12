// SPDX-License-Identifier: Apache-2.0
#include "laws/grid_laws.hpp"
#include "laws/sampler_laws.hpp"
#include "laws/schedule_laws.hpp"

namespace ddpm_test {

using namespace anodiff;
using laws::index;
using samplers::ddpm;
using samplers::ddpm_variance;

namespace {

/// Mean and variance of one axis of the oracle's data after a run, followed exactly: the state stays Gaussian.
struct moments {
  double mean, variance;
};
moments follow(std::span<const stage> program, double mean, double variance, moments x) {
  for (const auto& s : program) {
    const double power = s.at.alpha * s.at.alpha * variance + s.at.sigma * s.at.sigma;
    const double gain = s.at.alpha * variance / power;  // of the clean estimate
    const double slope = s.x_weight + s.clean_weight * gain;
    x.mean = slope * x.mean + s.clean_weight * (mean - gain * s.at.alpha * mean);
    x.variance = slope * slope * x.variance + s.noise_weight * s.noise_weight;
  }
  return x;
}

std::vector<stage> ancestral(const ddpm& sampler, index steps) {
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), steps);
  levels.push_back(clean_level);
  return sampler.program(levels);
}

}  // namespace

TEST_CASE("ddpm: a step by hand", "[samplers]") {
  // beta = 0.1, 0.2, 0.3; from t = 3 to t = 2: eq. 7 of the paper, variance 0.28 / 0.496 * 0.3 or 0.3
  auto levels = schedules::linear{{.beta_first = 0.1, .beta_last = 0.3, .steps = 3}}.levels();
  std::reverse(levels.begin(), levels.end());
  levels.push_back(clean_level);
  const auto small = ddpm{}.program(levels);
  REQUIRE(small.size() == 3);
  CHECK(small[0].x_weight == Approx(std::sqrt(0.7) * 0.28 / 0.496).epsilon(1e-13));
  CHECK(small[0].clean_weight == Approx(std::sqrt(0.72) * 0.3 / 0.496).epsilon(1e-13));
  CHECK(small[0].noise_weight == Approx(std::sqrt(0.28 / 0.496 * 0.3)).epsilon(1e-13));
  const auto large = ddpm{{.variance = ddpm_variance::fixed_large}}.program(levels);
  CHECK(large[0].x_weight == small[0].x_weight);
  CHECK(large[0].clean_weight == small[0].clean_weight);
  CHECK(large[0].noise_weight == Approx(std::sqrt(0.3)).epsilon(1e-13));
  // the step to the clean end draws nothing, whatever the variance
  CHECK(small[2].noise_weight == 0);
  CHECK(large[2].noise_weight == 0);
  CHECK_FALSE(ddpm{}.deterministic());
}

TEST_CASE("ddpm: variances by other names, and between", "[samplers]") {
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 10);
  levels.push_back(clean_level);
  const auto drawn = [&](ddpm_variance v, double blend = 0.5) {
    return ddpm{{.variance = v, .blend = blend}}.program(levels)[3].noise_weight;
  };
  const double small = drawn(ddpm_variance::fixed_small), large = drawn(ddpm_variance::fixed_large);
  CHECK(small < large);
  CHECK(drawn(ddpm_variance::fixed_small_log) == small);
  CHECK(drawn(ddpm_variance::fixed_large_log) == large);  // NaN in diffusers at revision 58eb52c0
  CHECK(drawn(ddpm_variance::blended) == Approx(std::sqrt(small * large)).epsilon(1e-13));
  CHECK(drawn(ddpm_variance::blended, 0) == Approx(small).epsilon(1e-13));
  CHECK(drawn(ddpm_variance::blended, 1) == Approx(large).epsilon(1e-13));
  CHECK_THROWS_WITH(ddpm({.blend = 2}), "samplers::ddpm: blend must lie in [0, 1], got 2");
}

TEST_CASE("ddpm: without a variance each step goes to the mean", "[samplers]") {
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 10);
  levels.push_back(clean_level);
  const ddpm mean{{.variance = ddpm_variance::none}};
  CHECK(mean.deterministic());
  const auto still = mean.program(levels), small = ddpm{}.program(levels);
  for (std::size_t i = 0; i < still.size(); ++i) {
    CHECK(still[i].noise_weight == 0);
    CHECK(still[i].x_weight == small[i].x_weight);
    CHECK(still[i].clean_weight == small[i].clean_weight);
  }
}

TEST_CASE("ddpm: both variances keep the laws", "[samplers][laws]") {
  for (const auto variance : {ddpm_variance::fixed_small, ddpm_variance::fixed_large})
    for (const index steps : {1, 10, 1000}) {
      auto levels = grids::trailing{}.pick(schedules::cosine{}.levels(), steps);
      levels.push_back(clean_level);
      laws::check_sampler(ddpm{{.variance = variance}}, levels);
    }
}

TEST_CASE("ddpm: the small variance is right for a point, the large one for white noise", "[samplers]") {
  // a point: with the estimate always right, each level has exactly its noise
  auto levels = grids::trailing{}.pick(schedules::linear{}.levels(), 25);
  const auto end = laws::response(ddpm{}.program(levels));
  CHECK(end.noise * end.noise + end.drawn == Approx(levels.back().sigma * levels.back().sigma).epsilon(1e-10));
  // white noise: the state has variance 1 at every level
  const auto program = ddpm{{.variance = ddpm_variance::fixed_large}}.program(levels);
  CHECK(follow(program, 0, 1, {0, 1}).variance == Approx(1).epsilon(1e-12));
}

TEST_CASE("ddpm: a thousand steps give the data's mean and variance", "[samplers][order]") {
  for (const double variance : {0.04, 1.0, 4.0}) {
    INFO("variance " << variance);
    const double mean = 1.5;
    const auto small = follow(ancestral(ddpm{}, 1000), mean, variance, {0, 1});
    const auto large = follow(ancestral(ddpm{{.variance = ddpm_variance::fixed_large}}, 1000), mean, variance, {0, 1});
    CHECK(small.mean == Approx(mean).epsilon(0.01));
    CHECK(large.mean == Approx(mean).epsilon(0.01));
    // each is the bound of the other: a point has less variance than the data, white noise at least as much up to 1
    CHECK(small.variance == Approx(variance).epsilon(0.05));
    CHECK(large.variance == Approx(variance).epsilon(0.05));
    CHECK(small.variance < large.variance);
  }
}

TEST_CASE("ddpm: samples are distributed as the followed moments say", "[samplers][order]") {
  const laws::gaussian_oracle oracle{{1.5, -0.5}, 0, {0.25, 2}};
  const auto program = ancestral(ddpm{}, 1000);
  constexpr std::size_t n = 2000;
  std::array<double, 2> sum{}, square{};
  for (std::uint32_t i = 0; i < n; ++i) {
    std::uint64_t drawn = 0;
    const auto normal = [&] {
      const noise_key key{.seed = 5, .draw = i};
      const laws::gaussian_oracle::point z{random_normal(key, drawn), random_normal(key, drawn + 1)};
      drawn += 2;
      return z;
    };
    const auto x = laws::run_program(
        std::span<const stage>{program}, normal(), [&](const auto& at, const auto& l) { return oracle.clean(at, l); },
        normal);
    for (std::size_t k = 0; k < 2; ++k) {
      sum[k] += x[k];
      square[k] += x[k] * x[k];
    }
  }
  for (std::size_t k = 0; k < 2; ++k) {
    const double mean = sum[k] / n, variance = square[k] / n - mean * mean;
    // four standard errors of each
    CHECK(std::abs(mean - oracle.mean[k]) < 4 * std::sqrt(oracle.variance[k] / n) + 0.01 * std::abs(oracle.mean[k]));
    CHECK(std::abs(variance / oracle.variance[k] - 1) < 4 * std::sqrt(2.0 / n) + 0.02);
  }
}

}  // namespace ddpm_test
