// SPDX-License-Identifier: Apache-2.0
#include <numeric>
#include "laws/calibrator_laws.hpp"

using namespace anodiff;
using calibration::conformal;
using calibration::local_conformal;
using calibration::placed_scores;
using calibration::prototype_conformal;

namespace {

/// Normal rows of two kinds, four fifths around (0, 0) with deviation 0.3 and one fifth around (8, 0) with deviation
/// 1.5; anomalies lie at (0, 0) with deviation 1. The score is the distance to the fifth nearest of 400 such rows, as
/// a detector that has learned from them gives it.
struct two_kinds {
  tensor<float, 2> learned, rows, normal, odd;
  std::vector<double> row_score, normal_score, odd_score;
  std::vector<char> sparse;  // of each normal row

  explicit two_kinds(std::uint64_t seed)
      : learned{draw(400, 10 * seed)},
        rows{draw(1000, 10 * seed + 1)},
        normal{draw(4000, 10 * seed + 2)},
        odd{{400, 2}} {
    for (std::size_t i = 0; i < odd.flat().size(); ++i)
      odd.flat()[i] = static_cast<float>(random_normal({.seed = seed, .draw = 9}, i));
    row_score = scored(rows);
    normal_score = scored(normal);
    odd_score = scored(odd);
    for (laws::index i = 0; i < normal.rows(); ++i) sparse.push_back(i % 5 == 0 ? 1 : 0);
  }
  static tensor<float, 2> draw(laws::index n, std::uint64_t seed) {
    tensor<float, 2> out{{n, 2}};
    for (laws::index i = 0; i < n; ++i)
      for (laws::index j = 0; j < 2; ++j)
        out(i, j) = static_cast<float>((i % 5 == 0 && j == 0 ? 8 : 0) +
                                       (i % 5 == 0 ? 1.5 : 0.3) *
                                           random_normal({.seed = seed}, static_cast<std::uint64_t>(2 * i + j)));
    return out;
  }
  [[nodiscard]] std::vector<double> scored(const tensor<float, 2>& x) const {
    std::vector<double> out, near(400);
    for (laws::index i = 0; i < x.rows(); ++i) {
      for (laws::index r = 0; r < 400; ++r)
        near[static_cast<std::size_t>(r)] = calibration::square_distance(x.row(i), learned.row(r));
      std::nth_element(near.begin(), near.begin() + 4, near.end());
      out.push_back(std::sqrt(near[4]));
    }
    return out;
  }
};

struct alarm_rates {
  double sparse = 0, dense = 0, all = 0, found = 0;
};
/// exceeds(score, row): the alarm.
template <class Exceeds>
alarm_rates rates_of(const two_kinds& d, Exceeds&& exceeds) {
  alarm_rates out;
  for (laws::index i = 0; i < d.normal.rows(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double alarm = exceeds(d.normal_score[at], d.normal.row(i)) ? 1 : 0;
    out.all += alarm / 4000;
    (d.sparse[at] != 0 ? out.sparse : out.dense) += alarm / (d.sparse[at] != 0 ? 800 : 3200);
  }
  for (laws::index i = 0; i < d.odd.rows(); ++i)
    out.found += exceeds(d.odd_score[static_cast<std::size_t>(i)], d.odd.row(i)) ? 1.0 / 400 : 0;
  return out;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("calibrators by place: p falls as the score rises, and is alpha or less at an alarm",
                        "[calibration][laws]", laws::all_place_calibrators) {
  laws::check_policy<TestType>();
  const two_kinds d{1};
  const auto fitted = TestType{}.fit(d.row_score, d.rows.view());
  CHECK(fitted.promised() == 0.05);
  CHECK(std::isfinite(fitted.threshold()));
  const auto again = TestType{}.fit(fitted.scores(), fitted.rows());
  for (laws::index i = 0; i < 200; ++i) {
    const auto row = std::span<const float>{d.normal.row(i)};
    double before = 1;
    for (double s = -0.5; s < 4; s += 0.0625) {
      const double p = fitted.p_value(s, row);
      CHECK((p > 0 && p <= before));
      CHECK((s > fitted.threshold(row)) == (p <= 0.05 * (1 + 1e-9)));
      before = p;
    }
    CHECK(again.threshold(row) == fitted.threshold(row));
  }
}

TEST_CASE("calibrators by place: fewer false alarms where normal rows are sparse, and no fewer anomalies found",
          "[calibration]") {
  alarm_rates plain, local, kinds;
  constexpr int draws = 5;
  const auto add = [](alarm_rates& to, const alarm_rates& r) {
    to.sparse += r.sparse / draws;
    to.dense += r.dense / draws;
    to.all += r.all / draws;
    to.found += r.found / draws;
  };
  for (std::uint64_t seed = 1; seed <= draws; ++seed) {
    const two_kinds d{seed};
    const auto one = conformal{}.fit(d.row_score);
    add(plain, rates_of(d, [&](double s, auto) { return s > one.threshold(); }));
    const auto places = local_conformal{}.fit(d.row_score, d.rows.view());
    add(local, rates_of(d, [&](double s, std::span<const float> row) { return s > places.threshold(row); }));
    const auto prototypes = prototype_conformal{{.prototypes = 2}}.fit(d.row_score, d.rows.view());
    add(kinds, rates_of(d, [&](double s, std::span<const float> row) { return s > prototypes.threshold(row); }));
  }
  INFO("one threshold: sparse " << plain.sparse << ", dense " << plain.dense << ", found " << plain.found);
  INFO("local: sparse " << local.sparse << ", dense " << local.dense << ", found " << local.found);
  INFO("prototypes: sparse " << kinds.sparse << ", dense " << kinds.dense << ", found " << kinds.found);
  CHECK(plain.sparse > 0.2);
  CHECK(local.sparse < 0.65 * plain.sparse);
  CHECK(kinds.sparse < plain.sparse / 3);
  CHECK(local.found >= plain.found);
  CHECK(kinds.found >= plain.found);
  for (const auto* r : {&plain, &local, &kinds}) CHECK(r->all == Approx(0.05).margin(0.015));
  CHECK(kinds.sparse == Approx(0.05).margin(0.03));  // the rate holds within each kind
  CHECK(kinds.dense == Approx(0.05).margin(0.015));
}

TEST_CASE("prototype_conformal: two kinds by hand", "[calibration]") {
  tensor<float, 2> rows{{400, 1}};
  std::vector<double> scores;
  for (laws::index i = 0; i < 400; ++i) {
    rows(i, 0) = i % 2 == 0 ? 0.0F : 10.0F;
    scores.push_back(i % 2 == 0 ? static_cast<double>(i) / 400 : 100 + static_cast<double>(i));
  }
  const auto fitted = prototype_conformal{{.prototypes = 2}}.fit(scores, rows.view());
  const float low[] = {1}, high[] = {9};
  double in_kind = 0, reached = 0;
  for (laws::index i = 0; i < 400; i += 2)
    if (!placed_scores::learns(i, 0.3)) {
      in_kind += 1;
      reached += scores[static_cast<std::size_t>(i)] >= 0.75 ? 1 : 0;
    }
  CHECK(fitted.p_value(0.75, low) == Approx((1 + reached) / (1 + in_kind)));
  CHECK(fitted.p_value(0.75, high) == 1);
  CHECK(fitted.threshold(low) < 1);
  CHECK(fitted.threshold(high) > 400);
}

TEST_CASE("calibrators by place: refuse what they cannot promise, and numbers out of range", "[calibration]") {
  tensor<float, 2> rows{{20, 1}};
  const std::vector<double> scores(20, 1.0), few(3, 1.0);
  CHECK_THROWS_WITH(local_conformal{}.check_count(20), Catch::Contains("no rate below 1/"));
  CHECK_THROWS_AS((prototype_conformal{{.alpha = 0.01}}.fit(scores, rows.view())), invalid_argument);
  CHECK_THROWS_WITH(local_conformal{}.fit(few, rows.view()),
                    "calibration::local_conformal: needs a row for each score, got 20 rows and 3 scores");
  CHECK_THROWS_WITH(local_conformal({.neighbours = 1}),
                    "calibration::local_conformal: neighbours must be at least 2, got 1");
  CHECK_THROWS_WITH(prototype_conformal({.prototypes = 0}),
                    "calibration::prototype_conformal: prototypes must lie in [1, 4096], got 0");
}
