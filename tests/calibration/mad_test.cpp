// SPDX-License-Identifier: Apache-2.0
#include "laws/calibrator_laws.hpp"

using namespace anodiff;
using calibration::mad;

TEST_CASE("mad: threshold and p-values by hand", "[calibration]") {
  const auto fitted = mad{{.alpha = 0.05}}.fit(std::vector<double>{1, 2, 3, 4, 100});  // median 3, MAD 1
  CHECK(fitted.threshold() == Approx(3 + 1.6448536269514722 * 1.4826022185056018));
  CHECK(fitted.p_value(3) == Approx(0.5));
  CHECK(fitted.p_value(4) == Approx(0.25));  // 1 / Φ⁻¹(3/4) deviations are one MAD
  CHECK(fitted.p_value(2) == Approx(0.75));
  CHECK(fitted.p_value(1e9) > 0);
  CHECK(mad{{.alpha = 0.5}}.fit(std::vector<double>{1, 2, 4, 8}).threshold() == Approx(3));
}

TEST_CASE("mad: equal scores leave no spread, and all above them is an alarm", "[calibration]") {
  for (const double alpha : {0.05, 0.9}) {
    const auto fitted = mad{{.alpha = alpha}}.fit(std::vector<double>{2, 2, 2, 5});
    CHECK(fitted.threshold() == 2);
    CHECK(fitted.p_value(2) == 1);
    CHECK(fitted.p_value(2.1) < 1e-300);
  }
  CHECK_THROWS_WITH(mad{}.fit({}), "calibration::mad: needs at least one calibration row, got 0");
}

TEST_CASE("mad: an alarm is a p-value of at most alpha", "[calibration]") {
  for (const double alpha : {0.01, 0.05, 0.5, 0.9}) {
    const auto fitted = mad{{.alpha = alpha}}.fit(laws::scores(3, 101));
    for (double s = -1; s < 3; s += 0.0037) CHECK((s > fitted.threshold()) == (fitted.p_value(s) <= alpha));
  }
}

TEST_CASE("mad: keeps the rate of normal scores, a tenth of anomalies among them or not", "[calibration]") {
  constexpr int trials = 200;
  constexpr std::size_t n = 500;
  for (const double alpha : {0.01, 0.05, 0.1})
    for (const bool dirty : {false, true}) {
      double rate = 0, plain = 0;
      for (int t = 0; t < trials; ++t) {
        std::vector<double> given(n);
        for (std::size_t i = 0; i < n; ++i)
          given[i] = random_normal({.seed = static_cast<std::uint64_t>(t)}, i) + (dirty && i % 10 == 0 ? 8 : 0);
        const auto beyond = [&](double threshold) { return std::erfc(threshold / std::sqrt(2.0)) / 2 / trials; };
        rate += beyond(mad{{.alpha = alpha}}.fit(given).threshold());
        plain += beyond(calibration::quantile{{.alpha = alpha}}.fit(given).threshold());
      }
      INFO("alpha " << alpha << ", anomalies among them " << dirty << ": " << rate << ", quantile " << plain);
      if (dirty) {
        // median and MAD are those of the 5/9 quantile and 1.15 deviations: at 1 % a rate of 0.3 %
        CHECK(rate > 0.25 * alpha);
        CHECK(rate < 1.1 * alpha);
        CHECK(plain < rate);
      } else {
        CHECK(rate == Approx(alpha).epsilon(0.15));
      }
    }
}
