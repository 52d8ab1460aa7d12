// SPDX-License-Identifier: Apache-2.0
#include "laws/schedule_laws.hpp"

using namespace anodiff;
using schedules::cosine;

TEST_CASE("cosine: levels below the cap follow the curve itself", "[schedules]") {
  const double offset = 0.008, half_pi = std::acos(0.0);
  const auto curve = [&](double t) { return std::pow(std::cos((t + offset) / (1 + offset) * half_pi), 2); };
  const auto levels = cosine{{.steps = 100}}.levels();
  for (std::size_t i = 0; i < 90; ++i) {
    const double signal = curve(static_cast<double>(i + 1) / 100) / curve(0);
    CHECK(levels[i].alpha * levels[i].alpha == Approx(signal).epsilon(1e-12));
  }
}

TEST_CASE("cosine: the cap keeps some signal at the end", "[schedules]") {
  const auto levels = cosine{{.beta_cap = 0.75, .steps = 20}}.levels();
  CHECK(levels[19].alpha / levels[18].alpha == Approx(0.5).epsilon(1e-14));  // sqrt(1 - 0.75)
  // the only step of a one-step schedule is the last: all of it is capped
  CHECK(cosine{{.beta_cap = 0.75, .steps = 1}}.levels()[0].alpha == Approx(0.5).epsilon(1e-14));
  laws::check_schedule(cosine{{.offset = 0, .steps = 1000}});
  laws::check_schedule(cosine{{.offset = 1, .steps = 1000}});
  laws::check_schedule(cosine{{.beta_cap = 0.999999999, .steps = 10}});
}

TEST_CASE("cosine: the table of diffusers", "[schedules][golden]") {
  // DDPMScheduler(beta_schedule="squaredcos_cap_v2"), 1000 steps, of diffusers at revision 58eb52c0: alphas_cumprod at
  // 0, 1, 499, 998 and 999. Its betas are float32.
  const std::size_t at[] = {0, 1, 499, 998, 999};
  const double golden[] = {0.999958694, 0.99991256, 0.493843466, 2.42876627e-06, 2.42873499e-09};
  const auto levels = cosine{}.levels();
  for (std::size_t i = 0; i < 5; ++i) {
    INFO(at[i]);
    CHECK(levels[at[i]].alpha * levels[at[i]].alpha == Approx(golden[i]).epsilon(2e-5));
  }
}

TEST_CASE("cosine: refuses numbers out of range", "[schedules]") {
  CHECK_THROWS_WITH(cosine({.offset = -0.1}), "schedules::cosine: offset must lie in [0, 1], got -0.1");
  CHECK_THROWS_WITH(cosine({.beta_cap = 1}), "schedules::cosine: beta_cap must lie in (0, 1), got 1");
  CHECK_THROWS_WITH(cosine({.beta_cap = 0}), "schedules::cosine: beta_cap must lie in (0, 1), got 0");
  CHECK_THROWS_WITH(cosine({.steps = 0}), "schedules::cosine: steps must lie in [1, 1000000], got 0");
  CHECK_THROWS_AS(cosine({.offset = std::nan("")}), invalid_argument);
}
