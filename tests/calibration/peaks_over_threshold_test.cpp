// SPDX-License-Identifier: Apache-2.0
#include <anodiff/calibration/spot.hpp>
#include "laws/calibrator_laws.hpp"

using namespace anodiff;
using calibration::generalised_pareto;
using calibration::peaks_over_threshold;
using calibration::spot;

namespace {

/// Scores whose excesses over every threshold above 0 are generalised Pareto with that shape: the law itself.
std::vector<double> pareto(std::uint64_t seed, std::size_t n, double shape) {
  const generalised_pareto law{shape, 1};
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = law.excess_at(laws::uniform(seed, i, 1e-12, 1));
  return out;
}

}  // namespace

TEST_CASE("generalised_pareto: survival and its inverse", "[calibration]") {
  for (const double shape : {-0.5, -1e-12, 0.0, 1e-12, 0.1, 0.4}) {
    const generalised_pareto law{shape, 2};
    for (const double p : {1.0, 0.5, 0.1, 1e-4}) CHECK(law.survival(law.excess_at(p)) == Approx(p).epsilon(1e-9));
    CHECK(law.survival(0) == 1);
  }
  CHECK(generalised_pareto{0, 2}.survival(4) == Approx(std::exp(-2.0)));
  CHECK(generalised_pareto{-0.5, 2}.survival(5) == 0);  // beyond the end at 4
  CHECK(generalised_pareto{0.5, 2}.survival(4) == Approx(0.25));
}

TEST_CASE("generalised_pareto: the fit by hand, and that of few or equal excesses", "[calibration]") {
  // 1 … 10: mean 5.5, Σ (1 − (i − 0.35) / 10) i / 100 = (55 · 1.035 − 38.5) / 10 = 1.8425
  std::vector<double> one_to_ten;
  for (int i = 1; i <= 10; ++i) one_to_ten.push_back(i);
  const auto law = generalised_pareto::fit(one_to_ten);
  CHECK(law.shape == Approx(2 - 5.5 / (5.5 - 2 * 1.8425)));
  CHECK(law.scale == Approx(2 * 5.5 * 1.8425 / (5.5 - 2 * 1.8425)));
  CHECK(generalised_pareto::fit(std::vector<double>{1, 3}).shape == 0);
  CHECK(generalised_pareto::fit(std::vector<double>{1, 3}).scale == 2);
  const auto equal = generalised_pareto::fit(std::vector<double>(50, 1.0));
  CHECK(equal.survival(0.9) > 0.9);
  CHECK(equal.survival(1.1) == 0);
  CHECK_THROWS_AS(generalised_pareto::fit(std::vector<double>{1, INFINITY}), numeric_error);
}

TEST_CASE("generalised_pareto: finds the shape of its own draws", "[calibration]") {
  for (const double shape : {-0.3, 0.0, 0.2}) {
    auto drawn = pareto(1, 20'000, shape);
    std::sort(drawn.begin(), drawn.end());
    const auto law = generalised_pareto::fit(drawn);
    CHECK(law.shape == Approx(shape).margin(0.04));
    CHECK(law.scale == Approx(1).margin(0.04));
  }
}

TEST_CASE("peaks_over_threshold: an alarm is a p-value of at most alpha", "[calibration]") {
  for (const double alpha : {0.001, 0.01, 0.05, 0.1, 0.5, 0.95})
    for (const std::size_t n : std::initializer_list<std::size_t>{1, 5, 20, 101, 500})
      for (const int steps : {0, 1, 7}) {
        const auto fitted = peaks_over_threshold{{.alpha = alpha}}.fit(laws::scores(n, n, steps));
        bool agrees = true;
        for (double s = -0.5; s <= 9; s += 0.0031)
          agrees = agrees && (std::abs(s - fitted.threshold()) < 1e-9 ||
                              (s > fitted.threshold()) == (fitted.p_value(s) <= alpha * (1 + 1e-12)));
        INFO("alpha " << alpha << ", n " << n << ", steps " << steps);
        CHECK(agrees);
      }
  CHECK_THROWS_WITH(peaks_over_threshold{}.fit({}),
                    "calibration::peaks_over_threshold: needs at least one calibration row, got 0");
  CHECK_THROWS_WITH((peaks_over_threshold{{.level = 1}}),
                    "calibration::peaks_over_threshold: level must lie in [0, 1), got 1");
}

TEST_CASE("peaks_over_threshold: a rate that the rows cannot count is met on average", "[calibration]") {
  // 200 rows cannot promise one in a thousand; the tail of a light and of a heavy law is extrapolated to it
  constexpr int trials = 400;
  constexpr double alpha = 0.001;
  for (const double shape : {0.0, 0.2}) {
    const generalised_pareto law{shape, 1};
    double rate = 0, counted = 0;
    for (int t = 0; t < trials; ++t) {
      const auto given = pareto(static_cast<std::uint64_t>(100 + t), 200, shape);
      rate += law.survival(peaks_over_threshold{{.alpha = alpha, .level = 0.8}}.fit(given).threshold()) / trials;
      counted += law.survival(calibration::quantile{{.alpha = alpha}}.fit(given).threshold()) / trials;
    }
    INFO("shape " << shape << ": " << rate << ", by counting " << counted);
    CHECK(rate > 0.5 * alpha);
    CHECK(rate < 5 * alpha);
    CHECK(rate < 0.8 * counted);
  }
}

TEST_CASE("spot: raises alarms at less than twice its rate, on normals alone and among anomalies", "[calibration]") {
  constexpr double alpha = 0.002;
  constexpr std::size_t more = 20'000;
  for (const bool dirty : {false, true}) {
    double alarms = 0, missed = 0;
    for (std::uint64_t trial = 0; trial < 4; ++trial) {
      spot stream{{.alpha = alpha, .level = 0.95, .initial = 1000}};
      for (std::size_t i = 0; i < 1000; ++i) CHECK_FALSE(stream.feed(random_normal({.seed = trial}, i)));
      CHECK(std::isfinite(stream.threshold()));
      for (std::size_t i = 0; i < more; ++i) {
        alarms += stream.feed(random_normal({.seed = 100 + trial}, i)) ? 1 : 0;
        if (dirty && i % 50 == 0) missed += stream.feed(50) ? 0 : 1;  // ten times the rate
      }
      CHECK(stream.threshold() > 2.878 - 0.35);  // Φ⁻¹(0.998)
      CHECK(stream.threshold() < 2.878 + (dirty ? 1.5 : 0.35));
    }
    INFO("anomalies " << dirty << ", alarms " << alarms);
    CHECK(alarms / (4 * more) < 2 * alpha);  // without any of the alarms more than five times alpha
    if (!dirty) CHECK(alarms / (4 * more) > 0.6 * alpha);
    CHECK(missed == 0);
  }
}

TEST_CASE("spot: alarms beyond those to expect teach nothing", "[calibration]") {
  spot stream{{.alpha = 0.01, .level = 0.9, .initial = 100}};
  for (const double s : laws::scores(5, 100)) (void)stream.feed(s);
  const double before = stream.threshold();
  for (int i = 0; i < 90; ++i) CHECK(stream.feed(50));
  CHECK(stream.threshold() == before);  // 0.9 were to be expected
  CHECK(stream.seen() == 190);
}

TEST_CASE("spot: begins as peaks over a threshold would, and bears equal scores", "[calibration]") {
  spot stream{{.alpha = 0.01, .level = 0.9, .initial = 100}};
  const auto first = laws::scores(5, 100);
  for (const double s : first) CHECK_FALSE(stream.feed(s));
  CHECK(stream.threshold() == peaks_over_threshold{{.alpha = 0.01, .level = 0.9}}.fit(first).threshold());
  CHECK_THROWS_WITH(stream.feed(INFINITY), "calibration::spot: score 101 of the stream is not finite");
  CHECK(stream.seen() == 100);

  spot flat{{.alpha = 0.01, .level = 0.9, .initial = 100}};
  for (int i = 0; i < 500; ++i) CHECK_FALSE(flat.feed(2));
  CHECK(flat.threshold() == 2);
  CHECK(flat.feed(2.5));
}

TEST_CASE("spot: numbers out of range are refused", "[calibration]") {
  CHECK_THROWS_WITH((spot{{.level = 1}}), "calibration::spot: level must lie in [0, 1), got 1");
  CHECK_THROWS_WITH((spot{{.alpha = 0.05}}), "calibration::spot: alpha must lie in (0, 1 - level), got 0.05");
  CHECK_THROWS_WITH((spot{{.initial = 499}}), "calibration::spot: initial must be at least 10 / (1 - level), got 499");
}
