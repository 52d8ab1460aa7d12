// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/calibration/conformal.hpp>
#include <anodiff/metrics/confusion.hpp>
#include <catch2/catch.hpp>
#include <limits>

namespace confusion_test {

namespace {

using namespace anodiff;
using Catch::Message;
using metrics::confusion_at;

TEST_CASE("a score above the threshold raises an alarm, one at it does not") {
  const std::vector scores{1.0, 2.0, 2.5, 2.0, 3.0, 0.0, 4.0};
  const std::vector labels{0, 0, 0, 1, 1, 1, 1};
  const auto counts = confusion_at(scores, labels, 2.0);
  REQUIRE(counts.true_positives == 2);
  REQUIRE(counts.false_positives == 1);
  REQUIRE(counts.true_negatives == 2);
  REQUIRE(counts.false_negatives == 2);
  REQUIRE(counts.false_alarm_rate() == Approx(1.0 / 3));
  REQUIRE(counts.recall() == 0.5);
  REQUIRE(counts.precision() == Approx(2.0 / 3));
  REQUIRE(counts.f1() == Approx(4.0 / 7));
}

TEST_CASE("alarms are counted as a calibrated detector raises them") {
  // ties at the threshold are what the two rules would count differently
  const std::vector<double> normals{1, 2, 2, 2, 3, 3, 4};
  const auto fitted = calibration::conformal{{.alpha = 0.25}}.fit(normals);
  const auto counts = confusion_at(normals, std::vector(normals.size(), 0), fitted.threshold());
  REQUIRE(counts.false_positives ==
          std::ranges::count_if(normals, [&](double s) { return fitted.p_value(s) <= 0.25; }));
  REQUIRE(counts.false_alarm_rate() <= 0.25);
}

TEST_CASE("an infinite threshold raises no alarm, minus infinity raises all") {
  const double inf = std::numeric_limits<double>::infinity();
  REQUIRE(confusion_at(std::vector{1.0, 2.0}, std::vector{0, 1}, inf).recall() == 0);
  REQUIRE(confusion_at(std::vector{1.0, 2.0}, std::vector{0, 1}, inf).f1() == 0);
  REQUIRE(confusion_at(std::vector{1.0, 2.0}, std::vector{0, 1}, -inf).false_alarm_rate() == 1);
}

TEST_CASE("normals alone give a false-alarm rate, and say what they cannot give") {
  const auto counts = confusion_at(std::vector{1.0, 2.0}, std::vector{0, 0}, 3.0);
  REQUIRE(counts.false_alarm_rate() == 0);
  REQUIRE_THROWS_MATCHES(counts.recall(), data_error, Message("recall: needs at least one anomaly, got none"));
  REQUIRE_THROWS_MATCHES(counts.f1(), data_error, Message("f1: needs at least one anomaly, got none"));
  REQUIRE_THROWS_MATCHES(counts.precision(), data_error, Message("precision: needs at least one alarm, got none"));
  REQUIRE_THROWS_MATCHES(confusion_at(std::vector{1.0}, std::vector{1}, 0.0).false_alarm_rate(), data_error,
                         Message("false_alarm_rate: needs at least one normal, got none"));
}

TEST_CASE("confusion_at refuses what has no meaning") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_MATCHES(confusion_at(std::vector{1.0}, std::vector{1}, nan), invalid_argument,
                         Message("confusion_at: needs a threshold that is a number, got nan"));
  REQUIRE_THROWS_MATCHES(confusion_at(std::vector{nan}, std::vector{1}, 0.0), numeric_error,
                         Message("confusion_at: needs finite scores, got nan in row 1"));
}

}  // namespace

}  // namespace confusion_test
