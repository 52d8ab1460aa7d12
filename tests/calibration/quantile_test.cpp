// SPDX-License-Identifier: Apache-2.0
#include "laws/calibrator_laws.hpp"

using namespace anodiff;
using calibration::quantile;

TEST_CASE("quantile: thresholds by hand", "[calibration]") {
  const std::vector<double> given{5, 2, 4, 1, 3};
  const auto at = [&](double alpha) { return quantile{{.alpha = alpha}}.fit(given).threshold(); };
  CHECK(at(0.25) == 4);
  CHECK(at(0.5) == 3);
  CHECK(at(0.1) == Approx(4.6).epsilon(1e-14));  // 0.9 * 4 = 3.6: between the fourth and the fifth
  CHECK(at(1e-9) == Approx(5).epsilon(1e-8));
  CHECK(at(1 - 1e-9) == Approx(1).epsilon(1e-8));
}

TEST_CASE("quantile: p-values by hand", "[calibration]") {
  const auto fitted = quantile{}.fit(std::vector<double>{1, 2, 2, 5});
  CHECK(fitted.p_value(0) == 1);
  CHECK(fitted.p_value(2) == 0.75);
  CHECK(fitted.p_value(2.5) == 0.25);
  CHECK(fitted.p_value(6) == 0.25);  // never 0
}

TEST_CASE("quantile: one row, and none", "[calibration]") {
  const auto fitted = quantile{}.fit(std::vector<double>{7});
  CHECK(fitted.threshold() == 7);
  CHECK(fitted.p_value(8) == 1);
  CHECK_THROWS_WITH(quantile{}.fit({}), "calibration::quantile: needs at least one calibration row, got 0");
}
