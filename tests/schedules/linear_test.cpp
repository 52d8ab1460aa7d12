// SPDX-License-Identifier: Apache-2.0
#include "laws/schedule_laws.hpp"

using namespace anodiff;
using schedules::linear;

TEST_CASE("linear: three steps by hand", "[schedules]") {
  const auto levels = linear{{.beta_first = 0.1, .beta_last = 0.3, .steps = 3}}.levels();
  REQUIRE(levels.size() == 3);
  const double signal[] = {0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(levels[i].alpha == Approx(std::sqrt(signal[i])).epsilon(1e-15));
    CHECK(levels[i].sigma == Approx(std::sqrt(1 - signal[i])).epsilon(1e-14));
  }
}

TEST_CASE("linear: degenerate numbers", "[schedules]") {
  const auto one = linear{{.beta_first = 0.25, .beta_last = 0.5, .steps = 1}}.levels();
  REQUIRE(one.size() == 1);
  CHECK(one[0].sigma == Approx(0.5).epsilon(1e-15));
  laws::check_schedule(linear{{.beta_first = 0.01, .beta_last = 0.01, .steps = 50}});
  laws::check_schedule(linear{{.beta_first = 1e-300, .beta_last = 1e-12, .steps = 1000}});
  laws::check_schedule(linear{{.beta_first = 1e-18, .beta_last = 0.9, .steps = 40}});
}

TEST_CASE("linear: small noise keeps its digits", "[schedules]") {
  // one step of beta 1e-20: sqrt(1 - alpha^2) would be 0
  CHECK(linear{{.beta_first = 1e-20, .beta_last = 1e-20, .steps = 1}}.levels()[0].sigma ==
        Approx(1e-10).epsilon(1e-15));
}

TEST_CASE("linear: the table of diffusers", "[schedules][golden]") {
  // DDPMScheduler(beta_schedule="linear"), 1000 steps, beta 1e-4 to 0.02, of diffusers at revision 58eb52c0:
  // alphas_cumprod at 0, 1, 499, 998 and 999. Its betas are float32, which moves the last products by some 1e-6.
  const std::size_t at[] = {0, 1, 499, 998, 999};
  const double golden[] = {0.999899983, 0.999780059, 0.0785872415, 4.11819456e-05, 4.03583072e-05};
  const auto levels = linear{}.levels();
  for (std::size_t i = 0; i < 5; ++i) {
    INFO(at[i]);
    CHECK(levels[at[i]].alpha * levels[at[i]].alpha == Approx(golden[i]).epsilon(2e-6));
    CHECK(levels[at[i]].sigma * levels[at[i]].sigma == Approx(1 - golden[i]).margin(1e-7));
  }
}

TEST_CASE("linear: refuses numbers out of range", "[schedules]") {
  CHECK_THROWS_WITH(linear({.beta_first = 0}),
                    "schedules::linear: need 0 < beta_first <= beta_last < 1, got 0 and 0.02");
  CHECK_THROWS_WITH(linear({.beta_first = 0.03}),
                    "schedules::linear: need 0 < beta_first <= beta_last < 1, got 0.03 and 0.02");
  CHECK_THROWS_WITH(linear({.beta_last = 1}),
                    "schedules::linear: need 0 < beta_first <= beta_last < 1, got 1e-04 and 1");
  CHECK_THROWS_AS(linear({.beta_last = std::nan("")}), invalid_argument);
  CHECK_THROWS_WITH(linear({.steps = 0}), "schedules::linear: steps must lie in [1, 1000000], got 0");
  CHECK_THROWS_AS(linear({.steps = 1'000'001}), invalid_argument);
}

TEST_CASE("linear: refuses steps that leave no signal", "[schedules]") {
  // the product of 1 - beta falls to 1e-874: alpha would be 0, and dividing by it gives NaN
  CHECK_THROWS_WITH(linear({.steps = 200'000}).levels(), Catch::Contains("no signal is left at step ") &&
                                                             Catch::Contains(" of 200000") &&
                                                             Catch::Contains("use fewer steps or smaller betas"));
  CHECK_THROWS_AS(linear({.steps = 200'000}).levels(), invalid_argument);
  CHECK_NOTHROW(linear({.steps = 10'000}).levels());
}
