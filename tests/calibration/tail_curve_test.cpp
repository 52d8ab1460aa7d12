// SPDX-License-Identifier: Apache-2.0
#include <anodiff/calibration/tail_curve.hpp>
#include <anodiff/core/philox.hpp>
#include <catch2/catch.hpp>
#include <limits>

namespace ad = anodiff;
using ad::calibration::tail_curve;

namespace {

/// Exponential values with mean 2: P(v > x) = exp(-x / 2).
std::vector<float> exponential(std::size_t count) {
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(static_cast<float>(-2 * std::log(ad::random_uniform({.seed = 6}, i))));
  return out;
}

}  // namespace

TEST_CASE("tail_curve: -log10 of the share of normal values above, and a straight tail beyond", "[calibration]") {
  const tail_curve curve{exponential(1'000'000)};
  for (const double x : {2.0, 5.0, 9.0, 13.0}) CHECK(curve(x) == Approx(x / 2 / std::numbers::ln10).epsilon(0.02));
  CHECK(curve(40) == Approx(20 / std::numbers::ln10).epsilon(0.1));  // far beyond all of them: the same law goes on
  CHECK(curve(0.5) == 0);
  CHECK(curve(-std::numeric_limits<double>::infinity()) == 0);
  double before = 0;
  for (double x = 0; x < 60; x += 0.01) {
    CHECK(curve(x) >= before);
    before = curve(x);
  }
}

TEST_CASE("tail_curve: a constant, two values, and storage", "[calibration]") {
  const tail_curve flat{std::vector<float>(50, 3.0F)};
  CHECK(flat(3) == 0);
  CHECK(flat(2) == 0);
  CHECK(flat(3.1) > 100);
  CHECK(std::isfinite(flat(1e30)));
  const tail_curve curve{exponential(1000)}, again = tail_curve::restored(curve.values());
  for (const double x : {0.1, 1.7, 4.0, 100.0}) CHECK(again(x) == curve(x));
  CHECK_THROWS_WITH(tail_curve{std::vector<float>(1)}, "tail_curve: needs at least 2 normal values, got 1");
  CHECK_THROWS_WITH((tail_curve{{1.0F, std::numeric_limits<float>::quiet_NaN()}}),
                    "tail_curve: a normal value is not finite");
  CHECK_THROWS_WITH(tail_curve::restored({1, 2}), "tail_curve: needs 46 rising quantiles and a positive scale");
}
