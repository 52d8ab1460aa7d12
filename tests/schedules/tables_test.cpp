// SPDX-License-Identifier: Apache-2.0
#include "laws/schedule_laws.hpp"

using namespace anodiff;

namespace {

constexpr std::size_t at[] = {0, 1, 499, 998, 999};

/// ᾱ at these places against alphas_cumprod of diffusers at revision 58eb52c0, T = 1000, beta 1e-4 to 0.02, in float32.
template <schedule S>
void check_table(const S& schedule, const double (&golden)[5], double bound) {
  INFO(S::name);
  const auto levels = schedule.levels();
  for (std::size_t i = 0; i < 5; ++i) {
    INFO(at[i]);
    CHECK(levels[at[i]].alpha * levels[at[i]].alpha == Approx(golden[i]).epsilon(bound));
  }
}

}  // namespace

TEST_CASE("schedules: the tables of diffusers", "[schedules][golden]") {
  check_table(schedules::scaled_linear{{.beta_first = 1e-4, .beta_last = 0.02}},
              {0.999899983, 0.999797344, 0.333187819, 0.000748379563, 0.000733411987}, 2e-6);
  check_table(schedules::quadratic{{.beta_first = 1e-4, .beta_last = 0.02, .steps = 1000}},
              {0.999899983, 0.999797344, 0.333187819, 0.000748379563, 0.000733411987}, 2e-6);
  check_table(schedules::sigmoid{}, {0.99985081, 0.999701023, 0.301930994, 4.04896236e-05, 3.96818214e-05}, 2e-6);
  check_table(schedules::laplace{{.compat = true}}, {0.978846252, 0.970283508, 0.707460344, 0.207026601, 0.0316227749},
              2e-6);
}

TEST_CASE("zero_snr: the table of diffusers", "[schedules][golden]") {
  // rescale_betas_zero_snr of linear betas
  const auto levels = schedules::zero_snr<schedules::linear>{}.levels();
  CHECK(levels[0].alpha * levels[0].alpha == Approx(0.999899983).epsilon(2e-6));
  CHECK(levels[499].alpha * levels[499].alpha == Approx(0.0760287642).epsilon(2e-6));
  CHECK(levels[999].alpha == 0);
  CHECK(levels[999].sigma == 1);
  CHECK(schedules::zero_snr<schedules::linear>::name == "zero_snr_linear");
}

TEST_CASE("zero_snr: the first level stays", "[schedules]") {
  const auto plain = schedules::linear{}.levels();
  CHECK(schedules::rescaled_to_zero_snr(plain).front() == plain.front());
  CHECK(schedules::rescaled_to_zero_snr({}).empty());
}

TEST_CASE("laplace: the ratio of signal and noise that its curve says", "[schedules]") {
  // halfway the log of the ratio is its mean, so that alpha^2 / sigma^2 = e^mean; diffusers has alpha there
  for (const double mean : {0.0, 1.0}) {
    const auto levels = schedules::laplace{{.mean = mean}}.levels();
    const auto& half = levels[499];
    const double first =
        1 / (1 + std::exp(-mean + 0.5 * std::log(1e-6)));  // the curve at time 0, which betas divide by
    CHECK(half.alpha * half.alpha == Approx(1 / (1 + std::exp(-mean)) / first).epsilon(1e-5));
  }
}

TEST_CASE("continuous_vp: the integral of beta", "[schedules]") {
  // at t = 1: alpha = exp(-(20 - 0.1) / 4 - 0.1 / 2)
  const auto levels = schedules::continuous_vp{}.levels();
  CHECK(levels.back().alpha == Approx(std::exp(-5.025)).epsilon(1e-14));
  CHECK(levels.front().alpha == Approx(std::exp(-1e-6 * 19.9 / 4 - 5e-5)).epsilon(1e-14));
}

TEST_CASE("exploding: both ends and the geometric middle", "[schedules]") {
  const auto levels = schedules::exploding{{.sigma_min = 0.01, .sigma_max = 100, .steps = 5}}.levels();
  const double sigma[] = {0.01, 0.1, 1, 10, 100};
  for (std::size_t i = 0; i < 5; ++i) CHECK(levels[i].sigma == Approx(sigma[i]).epsilon(1e-13));
}

TEST_CASE("flow_matching: straight, and shifted", "[schedules]") {
  const auto plain = schedules::flow_matching{{.steps = 4}}.levels();
  const auto shifted = schedules::flow_matching{{.shift = 3, .steps = 4}}.levels();
  for (std::size_t i = 0; i < 4; ++i) {
    const double u = static_cast<double>(i + 1) / 4;
    CHECK(plain[i].sigma == Approx(u).epsilon(1e-15));
    CHECK(shifted[i].sigma == Approx(3 * u / (1 + 2 * u)).epsilon(1e-14));
    CHECK(shifted[i].alpha + shifted[i].sigma == Approx(1).epsilon(1e-15));
  }
}

TEST_CASE("given: any list of betas, written and read", "[schedules]") {
  const schedules::given schedule{{.betas = {0.5, 0.5, 0.75}}};
  CHECK(schedule.levels() == schedules::from_betas(schedule.parameters().betas));
  text_fields text;
  append_fields(text, "", schedule.parameters());
  REQUIRE(text.size() == 4);
  schedules::given_params read;
  for (const auto& [name, value] : text) CHECK(assign_field(read, "", name, value));
  CHECK(read.betas == schedule.parameters().betas);
  CHECK_THROWS_AS(schedules::given({.betas = {}}), invalid_argument);
  CHECK_THROWS_AS(schedules::given({.betas = {0.5, 1}}), invalid_argument);
}

TEST_CASE("schedules: refuse numbers out of range", "[schedules]") {
  CHECK_THROWS_WITH(schedules::scaled_linear({.beta_first = 0}),
                    "schedules::scaled_linear: need 0 < beta_first <= beta_last < 1, got 0 and 0.012");
  CHECK_THROWS_AS(schedules::sigmoid({.steps = 0}), invalid_argument);
  CHECK_THROWS_AS(schedules::quadratic({.beta_last = 1}), invalid_argument);
  CHECK_THROWS_WITH(schedules::laplace({.scale = 0}), "schedules::laplace: scale must lie in (0, 10], got 0");
  CHECK_THROWS_WITH(schedules::exploding({.sigma_min = 0}),
                    "schedules::exploding: need 0 < sigma_min < sigma_max, got 0 and 50");
  CHECK_THROWS_WITH(schedules::flow_matching({.shift = 0}),
                    "schedules::flow_matching: shift must lie in (0, 100], got 0");
  CHECK_THROWS_AS(schedules::continuous_vp({.beta_max = 0.05}), invalid_argument);
  CHECK_THROWS_AS(schedules::continuous_vp({.first_time = std::nan("")}), invalid_argument);
}
