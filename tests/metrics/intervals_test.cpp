// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/metrics/average_precision.hpp>
#include <anodiff/metrics/intervals.hpp>
#include <catch2/catch.hpp>
#include <limits>

namespace intervals_test {

namespace {

using namespace anodiff;
using Catch::Message;
using metrics::auroc_interval;
using metrics::bootstrap_interval;
using metrics::ranking;

const auto area = [](const ranking& ranked) { return metrics::auroc(ranked); };

/// Normals N(0, 1), anomalies N(mean, spread^2); the mean gives the wanted AUROC.
metrics_fixtures::labelled binormal(std::uint32_t draw, int anomalies, int normals, double mean, double spread) {
  metrics_fixtures::labelled set;
  for (int i = 0; i < anomalies + normals; ++i) {
    const double z = random_normal({11, draw, 0, purpose::repeat}, static_cast<std::uint64_t>(i));
    set.scores.push_back(i < anomalies ? mean + spread * z : z);
    set.labels.push_back(i < anomalies);
  }
  return set;
}

double area_of(double mean, double spread) { return std::erfc(-mean / std::sqrt(2 * (1 + spread * spread))) / 2; }

TEST_CASE("the normal quantile inverts the distribution") {
  REQUIRE(metrics::normal_quantile(0.5) == Approx(0).margin(1e-15));
  REQUIRE(metrics::normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-14));
  REQUIRE(metrics::normal_quantile(0.001) == Approx(-3.090232306167813).epsilon(1e-13));
}

TEST_CASE("the auroc interval follows its formula on hand numbers") {
  // anomalies 4 and 2, normals 3 and 1: placements 1 and 1/2 in both classes, with 0 and 1 at half weight added:
  // weight 3, mean 2/3, variance (7/4 - 4/3) / 2 = 5/24, ratio (5/24) / (2/9) = 15/16; trials 1 / (15/16 / 2 * 2) < 2,
  // so 2; z = 1 at level 0.6826894921370859; pull 1/2: centre (3/4 + 1/4) / (3/2) = 2/3, reach sqrt(5/32) * 2/3
  const auto found = auroc_interval(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{0, 1, 0, 1}, 0.6826894921370859);
  const double reach = std::sqrt(3.0 / 32 + 1.0 / 16) * 2 / 3;
  REQUIRE(found.lower == Approx(2.0 / 3 - reach).epsilon(1e-12));
  REQUIRE(found.upper == Approx(2.0 / 3 + reach).epsilon(1e-12));
  REQUIRE(found.level == 0.6826894921370859);
}

TEST_CASE("the auroc interval is near DeLong's when samples are many") {
  const auto set = binormal(0, 2000, 4000, 1, 1);
  const auto found = auroc_interval(set.scores, set.labels);
  const double estimate = metrics::auroc(set.scores, set.labels);
  // the asymptotic standard error of Hanley and McNeil for one normal family is within a few per cent of DeLong's
  const double q1 = estimate / (2 - estimate), q2 = 2 * estimate * estimate / (1 + estimate);
  const double square = estimate * estimate;
  const double error = std::sqrt((estimate - square + 1999 * (q1 - square) + 3999 * (q2 - square)) / (2000.0 * 4000));
  REQUIRE((found.upper - found.lower) / (2 * 1.96 * error) == Approx(1).margin(0.1));
}

TEST_CASE("the auroc interval does not collapse at a perfect separation, nor with one anomaly") {
  const auto perfect = auroc_interval(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{0, 0, 1, 1});
  REQUIRE(perfect.upper == 1);
  REQUIRE(perfect.lower > 0.1);
  REQUIRE(perfect.lower < 0.5);
  const auto worst = auroc_interval(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{1, 1, 0, 0});
  REQUIRE(worst.lower == 0);
  REQUIRE(worst.upper == Approx(1 - perfect.lower).epsilon(1e-12));
  const auto one = auroc_interval(std::vector{1.0, 2.0, 3.0}, std::vector{0, 1, 0});
  REQUIRE(one.lower < 0.1);
  REQUIRE(one.upper > 0.9);
}

TEST_CASE("the auroc interval mirrors when the scores are negated") {
  auto set = metrics_fixtures::set_b();
  const auto before = auroc_interval(set.scores, set.labels);
  for (auto& score : set.scores) score = -score;
  const auto after = auroc_interval(set.scores, set.labels);
  REQUIRE(after.lower == Approx(1 - before.upper).epsilon(1e-12));
  REQUIRE(after.upper == Approx(1 - before.lower).epsilon(1e-12));
}

TEST_CASE("the auroc interval covers the truth where anomalies are few, wide and well found") {
  struct setting {
    int anomalies, normals;
    double mean, spread;
  };
  // the mean that gives AUROC 0.8, 0.95, 0.99; the last is where DeLong's logit interval covers 70 %
  for (const auto& [anomalies, normals, mean, spread] :
       {setting{30, 100, 1.19, 1}, setting{10, 100, 5.2, 3}, setting{30, 300, 7.3565, 3}}) {
    constexpr int sets = 400;
    int covered = 0;
    for (std::uint32_t draw = 0; draw < sets; ++draw) {
      const auto set = binormal(draw, anomalies, normals, mean, spread);
      const auto found = auroc_interval(set.scores, set.labels);
      const double truth = area_of(mean, spread);
      covered += found.lower <= truth && truth <= found.upper;
    }
    CAPTURE(anomalies, normals, spread, covered);
    REQUIRE(covered >= 0.93 * sets);
  }
}

TEST_CASE("the bootstrap interval covers the truth away from the boundary") {
  constexpr int sets = 150;
  int covered = 0;
  for (std::uint32_t draw = 0; draw < sets; ++draw) {
    const auto set = binormal(draw, 40, 60, 1.19, 1);
    const auto found = bootstrap_interval(set.scores, set.labels, area, {0.9, 199, draw});
    covered += found.lower <= area_of(1.19, 1) && area_of(1.19, 1) <= found.upper;
  }
  CAPTURE(covered);  // 90 % wanted; three standard deviations of 150 trials are 7 points
  REQUIRE(covered >= 0.83 * sets);
  REQUIRE(covered <= 0.97 * sets);
}

TEST_CASE("the bootstrap interval is reproducible, contains the estimate and agrees with the closed form") {
  const auto set = binormal(3, 100, 200, 1.19, 1);
  const auto precision = [](const ranking& ranked) { return metrics::average_precision(ranked); };
  const auto first = bootstrap_interval(set.scores, set.labels, precision, {.resamples = 199, .seed = 5});
  const auto again = bootstrap_interval(set.scores, set.labels, precision, {.resamples = 199, .seed = 5});
  const auto other = bootstrap_interval(set.scores, set.labels, precision, {.resamples = 199, .seed = 6});
  REQUIRE((first.lower == again.lower && first.upper == again.upper));
  REQUIRE((first.lower != other.lower || first.upper != other.upper));
  const double estimate = metrics::average_precision(set.scores, set.labels);
  REQUIRE((first.lower < estimate && estimate < first.upper));
  const auto closed = auroc_interval(set.scores, set.labels);
  const auto drawn = bootstrap_interval(set.scores, set.labels, area, {.resamples = 999, .seed = 5});
  REQUIRE(drawn.lower == Approx(closed.lower).margin(0.02));
  REQUIRE(drawn.upper == Approx(closed.upper).margin(0.02));
}

TEST_CASE("resampling keeps the size of each class and does not look at the order of the samples") {
  auto set = metrics_fixtures::set_b();
  const auto positives = bootstrap_interval(
      set.scores, set.labels, [](const ranking& r) { return static_cast<double>(r.positives()); }, {.resamples = 39});
  REQUIRE((positives.lower == 18 && positives.upper == 18));
  const auto before = bootstrap_interval(set.scores, set.labels, area, {.resamples = 39});
  std::reverse(set.scores.begin(), set.scores.end());
  std::reverse(set.labels.begin(), set.labels.end());
  const auto after = bootstrap_interval(set.scores, set.labels, area, {.resamples = 39});
  REQUIRE((before.lower == after.lower && before.upper == after.upper));
}

TEST_CASE("intervals refuse what has no meaning") {
  const std::vector scores{1.0, 2.0};
  const std::vector labels{0, 1};
  REQUIRE_THROWS_MATCHES(auroc_interval(scores, labels, 1.0), invalid_argument,
                         Message("auroc_interval: level must lie in (0, 1), got 1"));
  REQUIRE_THROWS_MATCHES(auroc_interval(scores, std::vector{1, 1}), data_error,
                         Message("auroc_interval: needs both classes, got 2 anomalies and 0 normals"));
  REQUIRE_THROWS_MATCHES(bootstrap_interval(scores, labels, area, {.level = 0}), invalid_argument,
                         Message("bootstrap_interval: level must lie in (0, 1), got 0"));
  REQUIRE_THROWS_MATCHES(bootstrap_interval(scores, labels, area, {.resamples = 0}), invalid_argument,
                         Message("bootstrap_interval: resamples must lie in [1, 1000000], got 0"));
  REQUIRE_THROWS_MATCHES(bootstrap_interval(scores, labels, area, {.level = 0.5, .resamples = 2}), invalid_argument,
                         Message("bootstrap_interval: resamples must be at least 2 / (1 - level) - 1 = 3, got 2"));
  REQUIRE_THROWS_MATCHES(
      bootstrap_interval(scores, labels, [](const ranking&) { return std::numeric_limits<double>::quiet_NaN(); },
                         {.resamples = 39}),
      numeric_error, Message("bootstrap_interval: needs a finite metric, got nan in resample 0"));
}

}  // namespace

}  // namespace intervals_test
