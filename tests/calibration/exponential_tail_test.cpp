// SPDX-License-Identifier: Apache-2.0
#include <anodiff/calibration/exponential_tail.hpp>
#include "laws/policy_laws.hpp"

using namespace anodiff;
using calibration::exponential_tail;

namespace {

std::vector<double> one_to(int n) {
  std::vector<double> out;
  for (int i = 1; i <= n; ++i) out.push_back(i);
  return out;
}

}  // namespace

TEST_CASE("exponential_tail: counts up to the 90 % quantile, then follows the mean excess", "[calibration]") {
  const exponential_tail tail{one_to(11)};  // t = 10; the excess of 11 is 1, a share of 1/11
  CHECK(tail.surprise(0) == Approx(0).margin(1e-15));
  CHECK(tail.surprise(1) == Approx(0).margin(1e-15));
  CHECK(tail.surprise(9.5) == Approx(-std::log(3.0 / 12)));
  CHECK(tail.surprise(10) == Approx(-std::log(3.0 / 12)));
  CHECK(tail.surprise(13) == Approx(std::log(11.0) + 3));
}

TEST_CASE("exponential_tail: a score that is among them is judged by the others", "[calibration]") {
  const exponential_tail all{one_to(40)}, without{[] {
    auto others = one_to(40);
    others.erase(others.begin() + 19);
    return others;
  }()};
  CHECK(all.surprise(20, true) == Approx(without.surprise(20)));
  const exponential_tail one_above{one_to(11)};  // without 11 nothing lies beyond t: the deviation stands in
  CHECK(one_above.surprise(11, true) == Approx(std::log(10.0) + 1 / std::sqrt(10.0)));
}

TEST_CASE("exponential_tail: surprise never falls as the score rises, and equal scores are no trouble",
          "[calibration][laws]") {
  for (const auto& scores : {one_to(5), one_to(200), std::vector<double>(30, 2.5), std::vector<double>{7}}) {
    const exponential_tail tail{scores};
    double last = -1;
    for (double s = -3; s < 300; s += 0.5) {
      const double now = tail.surprise(s);
      CHECK(std::isfinite(now));
      CHECK(now >= last);
      last = now;
    }
  }
  CHECK_THROWS_WITH(exponential_tail{std::vector<double>{}},
                    "calibration::exponential_tail: needs at least one score, got none");
}
