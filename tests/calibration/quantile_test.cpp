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

TEST_CASE("quantile: an alarm and a p-value of at most alpha agree to within one calibration row", "[calibration]") {
  for (const double alpha : {0.001, 0.01, 0.05, 0.1, 1.0 / 3, 0.5, 0.95})
    for (const std::size_t n : std::initializer_list<std::size_t>{1, 2, 4, 19, 20, 21, 100})
      for (const int steps : {0, 1, 2, 7}) {
        const auto fitted = quantile{{.alpha = alpha}}.fit(laws::scores(n, n, steps));
        const double row = 1 / static_cast<double>(n);
        bool agrees = true;
        for (double s = -0.5; s <= 7.5; s += 0.003) {
          const double p = fitted.p_value(s);
          agrees = agrees && (s > fitted.threshold() ? p < alpha + row : p > alpha - row);
        }
        INFO("alpha " << alpha << ", n " << n << ", steps " << steps);
        CHECK(agrees);
      }
  // both differences occur: too few rows for so small a rate, and a score below a threshold between two others
  const auto few = quantile{{.alpha = 0.01}}.fit(std::vector<double>{1, 2, 3, 4});
  CHECK((5 > few.threshold() && few.p_value(5) > 0.01));
  const auto half = quantile{{.alpha = 0.5}}.fit(std::vector<double>{1, 2, 3, 4});
  CHECK((2.2 <= half.threshold() && half.p_value(2.2) <= 0.5));
}

TEST_CASE("quantile: one row, and none", "[calibration]") {
  const auto fitted = quantile{}.fit(std::vector<double>{7});
  CHECK(fitted.threshold() == 7);
  CHECK(fitted.p_value(8) == 1);
  CHECK_THROWS_WITH(quantile{}.fit({}), "calibration::quantile: needs at least one calibration row, got 0");
}
