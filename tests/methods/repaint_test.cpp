// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/methods/repaint.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/scorers/denoising_error.hpp>
#include <catch2/catch.hpp>
#include "support/small_rows.hpp"

namespace ad = anodiff;

namespace {

using exact = ad::models::gaussian<ad::cpu_engine>;
using detector_of = ad::detector<exact, ad::scorers::denoising_error>;

std::vector<ad::noise_level> run_levels(ad::index steps) {
  const auto schedule = ad::schedules::linear{}.levels();
  auto levels = ad::grids::trailing{}.pick(schedule, steps);
  levels.push_back(ad::clean_level);
  return levels;
}

}  // namespace

TEST_CASE("repaint: fills in the conditional mean of Gaussian data", "[methods]") {
  exact model{{.ridge = 0}};
  Eigen::Matrix3d covariance;
  covariance << 1, 0.8, 0.3, 0.8, 1, 0.1, 0.3, 0.1, 1;
  const Eigen::Vector3d mean{0.5, -0.5, 0};
  model.assume(mean, covariance);
  ad::tensor<float, 2> x{{4, 3}}, hidden{{4, 3}}, out{{4, 3}};
  for (ad::index i = 0; i < 4; ++i) {
    x(i, 0) = static_cast<float>(i) - 1.0F;
    x(i, 1) = std::nanf("");  // never read
    x(i, 2) = i % 2 == 0 ? 0.7F : -0.4F;
    hidden(i, 1) = 1;
  }
  ad::methods::repaint(model, ad::predictions::epsilon{}, run_levels(60), x.view(), hidden.view(),
                       {.resamples = 8, .draws = 150}, out.view());
  const Eigen::Matrix2d known{{1, 0.3}, {0.3, 1}};
  for (ad::index i = 0; i < 4; ++i) {
    CHECK(out(i, 0) == x(i, 0));
    CHECK(out(i, 2) == x(i, 2));
    const Eigen::Vector2d off{static_cast<double>(x(i, 0)) - 0.5, static_cast<double>(x(i, 2))};
    const double want = -0.5 + Eigen::RowVector2d{0.8, 0.1} * known.inverse() * off;
    INFO("row " << i);
    CHECK(static_cast<double>(out(i, 1)) == Approx(want).margin(0.15));
  }
}

TEST_CASE("repaint: taking each step again brings what is filled in nearer to what is known", "[methods]") {
  exact model{{.ridge = 0}};
  model.assume(Eigen::Vector2d{0, 0}, Eigen::Matrix2d{{1, 0.95}, {0.95, 1}});
  ad::tensor<float, 2> x{{1, 2}}, hidden{{1, 2}}, out{{1, 2}};
  x(0, 0) = 2;
  hidden(0, 1) = 1;
  const auto error = [&](ad::index resamples) {
    ad::methods::repaint(model, ad::predictions::epsilon{}, run_levels(25), x.view(), hidden.view(),
                         {.resamples = resamples, .draws = 100}, out.view());
    return std::abs(static_cast<double>(out(0, 1)) - 1.9);
  };
  const double once = error(1), often = error(10);
  INFO("once " << once << ", ten times " << often);
  CHECK(often < 0.5 * once);
}

TEST_CASE("repaint: rows do not see one another, and the same numbers give the same bits", "[methods]") {
  detector_of model{{.seed = 1, .calibration_share = 0}};
  model.fit(ad::test::normal_rows(300, 3, 1));
  auto x = ad::test::normal_rows(5, 3, 2);
  for (ad::index i = 0; i < 5; ++i) x(i, i % 3) = std::nan("");
  const ad::methods::repaint_params few{.steps = 10, .resamples = 2, .draws = 3, .seed = 4};
  const auto whole = ad::methods::fill_gaps(model, x, few);
  ad::tensor<double, 2> alone{{1, 3}};
  std::ranges::copy(x.row(3), alone.row(0).begin());
  CHECK(std::ranges::equal(ad::methods::fill_gaps(model, alone, few).row(0), whole.row(3)));
  CHECK(std::ranges::equal(ad::methods::fill_gaps(model, x, few).flat(), whole.flat()));
}

TEST_CASE("fill_gaps: in the columns' own units, nearer than the column's mean", "[methods]") {
  detector_of model{{.seed = 1, .calibration_share = 0}};
  model.fit(ad::test::normal_rows(1000, 5, 1));
  const auto truth = ad::test::normal_rows(60, 5, 2);
  auto x = truth;
  for (ad::index i = 0; i < 60; ++i) x(i, 3) = std::nan("");
  const auto filled = ad::methods::fill_gaps(model, x, {.steps = 30, .resamples = 4, .draws = 20});
  double off = 0, off_of_mean = 0;
  for (ad::index i = 0; i < 60; ++i) {
    for (const ad::index j : {0, 1, 2, 4}) CHECK(filled(i, j) == truth(i, j));
    off += (filled(i, 3) - truth(i, 3)) * (filled(i, 3) - truth(i, 3));
    off_of_mean += (3 - truth(i, 3)) * (3 - truth(i, 3));
  }
  INFO("squared error " << off << ", of the mean " << off_of_mean);
  CHECK(off < 0.7 * off_of_mean);  // at best 0.36 + 0.64 / (1 + 4 · 0.64 / 0.36) = 0.44 of it
}

TEST_CASE("fill_gaps: refuses what it cannot fill", "[methods]") {
  detector_of model{{.calibration_share = 0}};
  ad::tensor<double, 2> x{{1, 3}};
  CHECK_THROWS_WITH(ad::methods::fill_gaps(model, x), Catch::Contains("nothing has been learned yet"));
  model.fit(ad::test::normal_rows(50, 3, 1));
  CHECK_THROWS_WITH(ad::methods::fill_gaps(model, ad::tensor<double, 2>{{1, 2}}),
                    "methods::fill_gaps: needs rows of 3 columns, got 2");
  x(0, 1) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(ad::methods::fill_gaps(model, x), "methods::fill_gaps: row 1, column 1 is infinite");
  x(0, 1) = 0;
  CHECK_THROWS_WITH(ad::methods::fill_gaps(model, x, {.draws = 0}),
                    "methods::repaint: draws must lie in [1, 2^20], got 0");
}
