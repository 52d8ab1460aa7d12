// SPDX-License-Identifier: Apache-2.0
#include <anodiff/aggregation/sum.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/pipeline/bounded_time.hpp>
#include <anodiff/scorers/denoising_error.hpp>
#include <anodiff/scorers/score_norm.hpp>
#include <catch2/catch.hpp>
#include "support/small_rows.hpp"

namespace bounded_time_test {

namespace ad = anodiff;
using ad::calibration::early_decision;
using verdict = early_decision::verdict;

namespace {

template <class Scorer>
using detector_of = ad::detector<ad::models::gaussian<ad::cpu_engine>, Scorer, ad::aggregation::sum>;

}  // namespace

TEST_CASE("early_decision: three terms by hand", "[calibration]") {
  ad::tensor<double, 2> terms{{4, 3}};
  const double given[] = {1, 0, 1, 2, 1, 0, 0, 3, 1, 1, 1, 4};  // sums 2, 3, 4, 6
  std::copy(std::begin(given), std::end(given), terms.data());
  // alpha 0.2: one of 4 + 1 rows beyond; error 0.8 over two early exits: 0.4, two of 5 beyond
  const auto fitted = early_decision{{.alpha = 0.2, .error = 0.8}}.fit(terms.view());
  CHECK(fitted.threshold() == 6);
  CHECK(fitted.rest(1) == 4);  // of 1, 1, 4, 5
  CHECK(fitted.rest(2) == 1);  // of 0, 1, 1, 4
  CHECK(fitted.rest(3) == 0);
  CHECK(fitted.decide(2, 1) == verdict::normal);
  CHECK(fitted.decide(2.5, 1) == verdict::open);
  CHECK(fitted.decide(6.5, 1) == verdict::alarm);
  CHECK(fitted.decide(6, 3) == verdict::normal);
  // no row may be let go early where none is allowed for, or too few rows support it
  CHECK(std::isinf(early_decision{{.alpha = 0.2, .error = 0}}.fit(terms.view()).rest(1)));
  terms(0, 0) = -1;
  CHECK_THROWS_WITH(early_decision{{.alpha = 0.2}}.fit(terms.view()),
                    "calibration::early_decision: terms must not be negative, got -1");
  CHECK_THROWS_WITH(early_decision({.error = 1}), "calibration::early_decision: error must lie in [0, 1), got 1");
}

TEMPLATE_TEST_CASE(
    "bounded_time: decides as the whole sum does, but for the stated share of normal rows, in fewer views",
    "[pipeline]", ad::scorers::denoising_error, ad::scorers::score_norm) {
  detector_of<TestType> model{{.seed = 3, .calibration_share = 0}};
  model.fit(ad::test::normal_rows(500, 4, 1));
  const ad::bounded_time timely{model, ad::test::normal_rows(1500, 4, 2), {.alpha = 0.05, .error = 0.02}};
  const auto normal = ad::test::normal_rows(3000, 4, 3);
  const auto whole = model.score(normal).score;
  const auto found = timely.score(normal);
  double otherwise = 0, views = 0, alarms = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool alarm = found[i].verdict == verdict::alarm;
    if (found[i].views == timely.views()) CHECK(found[i].score == Approx(whole[i]).epsilon(1e-5));
    CHECK(found[i].verdict != verdict::open);
    if (alarm) CHECK(whole[i] > timely.decision().threshold() * (1 - 1e-5));  // an early alarm is never a wrong one
    otherwise += alarm != (whole[i] > timely.decision().threshold()) ? 1.0 / 3000 : 0;
    views += static_cast<double>(found[i].views) / 3000;
    alarms += alarm ? 1.0 / 3000 : 0;
  }
  INFO("otherwise " << otherwise << ", views " << views << " of " << timely.views() << ", alarms " << alarms);
  CHECK(otherwise < 0.03);
  CHECK(alarms == Approx(0.05).margin(0.03));
  CHECK(views < 0.95 * static_cast<double>(timely.views()));

  const auto shifted = timely.score(ad::test::shifted(ad::test::normal_rows(100, 4, 5), 2, 60.0));
  for (const auto& f : shifted) CHECK(f.verdict == verdict::alarm);
  double early = 0;
  for (const auto& f : shifted) early += static_cast<double>(f.views) / 100;
  CHECK(early < 0.6 * static_cast<double>(timely.views()));

  // a row alone is found the same, and a run that is ended says what it knows
  const auto alone = timely.score(normal.view().slice(7, 8));
  CHECK((alone[0].score == found[7].score && alone[0].views == found[7].views));
  const auto cut = timely.score(normal, [](ad::index view, auto) { return view < 1; });
  for (const auto& f : cut) CHECK(f.views <= 2);
}

}  // namespace bounded_time_test
