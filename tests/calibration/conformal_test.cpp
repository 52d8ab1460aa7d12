// SPDX-License-Identifier: Apache-2.0
#include "laws/calibrator_laws.hpp"

using namespace anodiff;
using calibration::conformal;

TEST_CASE("conformal: p-values and threshold by hand", "[calibration]") {
  const auto fitted = conformal{{.alpha = 0.4}}.fit(std::vector<double>{3, 1, 4, 2});
  CHECK(fitted.p_value(0) == 1);
  CHECK(fitted.p_value(1) == 1);  // a tie counts as reached
  CHECK(fitted.p_value(1.5) == Approx(0.8).epsilon(1e-15));
  CHECK(fitted.p_value(4) == Approx(0.4).epsilon(1e-15));
  CHECK(fitted.p_value(4.1) == Approx(0.2).epsilon(1e-15));
  CHECK(fitted.p_value(INFINITY) == Approx(0.2).epsilon(1e-15));
  CHECK(fitted.p_value(-INFINITY) == 1);
  CHECK(fitted.threshold() == 3);  // k = floor(0.4 * 5) = 2: above it p <= 2 / 5
  CHECK(fitted.promised() == 0.4);
}

TEST_CASE("conformal: an alarm is exactly a p-value of at most alpha", "[calibration]") {
  for (const double alpha : {0.05, 0.1, 1.0 / 3, 0.5, 0.95})
    for (const std::size_t n : std::initializer_list<std::size_t>{19, 20, 21, 59, 99})
      for (const int steps : {0, 1, 2, 7}) {
        const auto fitted = conformal{{.alpha = alpha}}.fit(laws::scores(n, n, steps));
        bool agrees = true;
        for (double s = -0.5; s <= 7.5; s += 0.003)
          agrees = agrees && (s > fitted.threshold()) == (fitted.p_value(s) <= alpha * (1 + 1e-12));
        for (const double s : fitted.scores())
          agrees = agrees && (s > fitted.threshold()) == (fitted.p_value(s) <= alpha * (1 + 1e-12));
        INFO("alpha " << alpha << ", n " << n << ", steps " << steps);
        CHECK(agrees);
      }
}

TEST_CASE("conformal: p is uniform on its grid for exchangeable scores", "[calibration]") {
  constexpr std::size_t n = 19, trials = 20'000;
  std::vector<double> count(n + 1);
  for (std::size_t t = 0; t < trials; ++t) {
    std::vector<double> drawn = laws::scores(1000 + t, n + 1);
    const double fresh = drawn.back();
    drawn.pop_back();
    const double p = conformal{}.fit(drawn).p_value(fresh);
    const double place = p * (n + 1);
    REQUIRE(place == Approx(std::round(place)).epsilon(1e-12));
    count[static_cast<std::size_t>(std::round(place)) - 1] += 1;
  }
  double chi_square = 0;
  for (const double c : count) chi_square += (c - trials / 20.0) * (c - trials / 20.0) / (trials / 20.0);
  CHECK(chi_square < 43.8);  // 19 degrees of freedom: exceeded once in a thousand
}

TEST_CASE("conformal: alarms among normals follow the beta-binomial law", "[calibration]") {
  // given the calibration rows, the alarm rate is Beta(k, n + 1 - k), k = floor(alpha (n + 1)) (Vovk 2012)
  constexpr double fresh = 200;
  constexpr std::size_t repeats = 600;
  for (const double alpha : {0.05, 0.1, 0.25})
    for (const std::size_t n : std::initializer_list<std::size_t>{20, 50, 199}) {
      const double a = std::floor(alpha * static_cast<double>(n + 1)), b = static_cast<double>(n + 1) - a;
      double sum = 0, square = 0;
      for (std::size_t r = 0; r < repeats; ++r) {
        auto drawn = laws::scores(77 * n + r, n + static_cast<std::size_t>(fresh));
        const auto fitted = conformal{{.alpha = alpha}}.fit(std::span<const double>{drawn}.first(n));
        const auto alarms =
            static_cast<double>(std::count_if(drawn.begin() + static_cast<std::ptrdiff_t>(n), drawn.end(),
                                              [&](double s) { return s > fitted.threshold(); }));
        sum += alarms;
        square += alarms * alarms;
      }
      const double mean = sum / repeats, variance = square / repeats - mean * mean;
      const double expected = fresh * a / (a + b);
      const double spread = fresh * a * b * (a + b + fresh) / ((a + b) * (a + b) * (a + b + 1));
      INFO("alpha " << alpha << ", n " << n << ": mean " << mean << " of " << expected << ", variance " << variance
                    << " of " << spread);
      CHECK(std::abs(mean - expected) < 4 * std::sqrt(spread / repeats));
      CHECK(variance == Approx(spread).epsilon(0.3));
      CHECK(expected <= alpha * fresh);  // the promise
    }
}

TEST_CASE("conformal: a rate that so few rows cannot promise is refused", "[calibration]") {
  CHECK_THROWS_WITH(conformal{}.fit(laws::scores(1, 18)),
                    "calibration::conformal: a false-alarm rate of 0.05 needs at least 19 calibration rows, got 18; no "
                    "rate below 1/19 can be promised");
  CHECK_THROWS_WITH(
      conformal{{.alpha = 0.001}}.fit({}),
      "calibration::conformal: a false-alarm rate of 0.001 needs at least 999 calibration rows, got 0; no "
      "rate below 1/1 can be promised");
  CHECK_THROWS_AS(conformal{}.fit({}), invalid_argument);
}

TEST_CASE("conformal: the fewest rows that a rate needs are accepted", "[calibration]") {
  // 1 / m times m rounds below 1 for some m, such as 49
  for (std::size_t m = 2; m <= 2000; ++m) {
    const conformal calibrator{{.alpha = 1 / static_cast<double>(m)}};
    REQUIRE_NOTHROW(calibrator.fit(std::vector<double>(m - 1)));
    REQUIRE_THROWS_AS(calibrator.fit(std::vector<double>(m - 2)), invalid_argument);
  }
  std::vector<double> given(48);
  for (std::size_t i = 0; i < 48; ++i) given[i] = static_cast<double>(i);
  const auto fitted = conformal{{.alpha = 1.0 / 49}}.fit(given);
  CHECK(fitted.threshold() == 47);
  CHECK(fitted.p_value(47.5) == 1.0 / 49);
}
