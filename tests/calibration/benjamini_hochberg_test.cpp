// SPDX-License-Identifier: Apache-2.0
#include <anodiff/calibration/benjamini_hochberg.hpp>
#include <anodiff/calibration/conformal.hpp>
#include <catch2/catch.hpp>

#include "laws/calibrator_laws.hpp"

using namespace anodiff;
using calibration::benjamini_hochberg;

TEST_CASE("Benjamini-Hochberg by hand", "[calibration]") {
  // at q = 0.05 the bounds are 0.01, 0.02, …: the fourth smallest is the last below its own, and takes the third along
  const std::vector<double> p{0.2, 0.009, 0.038, 0.012, 0.035};
  CHECK(benjamini_hochberg(p, 0.05) == std::vector<char>{0, 1, 1, 1, 1});
  CHECK(benjamini_hochberg(p, 0.04) == std::vector<char>{0, 1, 0, 1, 0});  // 0.035 is above 0.024, 0.038 above 0.032
  CHECK(benjamini_hochberg(p, 0.25) == std::vector<char>{1, 1, 1, 1, 1});
  CHECK(benjamini_hochberg({}, 0.1).empty());
  CHECK(benjamini_hochberg(std::vector{0.1}, 0.1) == std::vector<char>{1});
  CHECK(benjamini_hochberg(std::vector{0.0, 1.0}, 0.1) == std::vector<char>{1, 0});
  CHECK_THROWS_WITH(benjamini_hochberg(p, 0), "calibration::benjamini_hochberg: q must lie in (0, 1), got 0");
  CHECK_THROWS_WITH(benjamini_hochberg(std::vector{0.5, 1.5}, 0.1),
                    "calibration::benjamini_hochberg: p-value 2 must lie in [0, 1], got 1.5");
}

TEST_CASE("Benjamini-Hochberg of conformal p-values keeps the false share below q", "[calibration]") {
  constexpr int trials = 400, normals = 80, anomalies = 20;
  constexpr double q = 0.2;
  double false_share = 0, found = 0;
  for (int t = 0; t < trials; ++t) {
    const auto score = [&](std::uint64_t i) { return random_normal({.seed = static_cast<std::uint64_t>(t)}, i); };
    std::vector<double> calibrating(500), p;
    for (std::size_t i = 0; i < calibrating.size(); ++i) calibrating[i] = score(i);
    const auto fitted = calibration::conformal{}.fit(calibrating);
    for (int i = 0; i < normals + anomalies; ++i)
      p.push_back(fitted.p_value(score(1000 + static_cast<std::uint64_t>(i)) + (i < normals ? 0 : 3)));
    const auto called = benjamini_hochberg(p, q);
    const auto wrong = std::count(called.begin(), called.begin() + normals, 1);
    const auto all = std::count(called.begin(), called.end(), 1);
    false_share += static_cast<double>(wrong) / static_cast<double>(std::max<std::ptrdiff_t>(1, all)) / trials;
    found += static_cast<double>(all - wrong) / anomalies / trials;
  }
  INFO("false share " << false_share << ", found " << found);
  CHECK(false_share < q);  // q times the share of normals, 0.16, with an error of about 0.005
  CHECK(false_share > 0.12);
  CHECK(found > 0.7);
}
