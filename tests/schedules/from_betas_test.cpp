// SPDX-License-Identifier: Apache-2.0
#include <anodiff/schedules/from_betas.hpp>
#include "laws/policy_laws.hpp"

using namespace anodiff;

TEST_CASE("from_betas: products by hand", "[schedules]") {
  const double betas[] = {0.5, 0.5, 0.75};
  const auto levels = schedules::from_betas(betas);
  REQUIRE(levels.size() == 3);
  const double signal[] = {0.5, 0.25, 0.0625};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(levels[i].alpha == Approx(std::sqrt(signal[i])).epsilon(1e-15));
    CHECK(levels[i].sigma == Approx(std::sqrt(1 - signal[i])).epsilon(1e-15));
    CHECK(levels[i].time == static_cast<double>(i));
  }
  CHECK(schedules::from_betas({}).empty());
}

TEST_CASE("from_betas: refuses what is no beta", "[schedules]") {
  const double zero[] = {0.1, 0.0}, one[] = {1.0}, nan[] = {std::nan("")};
  CHECK_THROWS_WITH(schedules::from_betas(zero),
                    "schedules::from_betas: each beta must lie in (0, 1), but number 2 is 0");
  CHECK_THROWS_WITH(schedules::from_betas(one),
                    "schedules::from_betas: each beta must lie in (0, 1), but number 1 is 1");
  CHECK_THROWS_AS(schedules::from_betas(nan), invalid_argument);
}
