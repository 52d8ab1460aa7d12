// SPDX-License-Identifier: Apache-2.0
#include "laws/objective_laws.hpp"
#include "laws/prediction_laws.hpp"

using namespace anodiff;
using objectives::loss_weighting;
using objectives::squared_error;

TEMPLATE_LIST_TEST_CASE("objectives keep the laws of their concept", "[objectives][laws]", laws::all_objectives) {
  laws::check_policy<TestType>();
  for (const laws::index d : {1, 5, 33}) {
    laws::check_objective(TestType{}, 1, d);
    laws::check_objective(TestType{}, 7, d);
  }
}

TEST_CASE("every objective stands in the list", "[objectives][laws]") {
  laws::check_all_listed<decltype(std::tuple_cat(laws::all_objectives{}, laws::all_time_objectives{},
                                                 laws::all_variance_objectives{}))>("objectives");
}

TEST_CASE("squared_error: two rows by hand", "[objectives]") {
  const cpu_engine engine{1};
  laws::measured<cpu_engine> m{2, 2, {1, 0.5F}};
  m.output = {1, 2, 3, 4};
  m.target = {0, 2, 1, 1};
  auto machine = engine;
  CHECK(m.run(squared_error{}, machine) == Approx((0.5 + 0.5 * 6.5) / 2));
  CHECK(m.row_loss == std::vector<double>{0.5, 3.25});
  // 2 / (2 rows * 2 columns) * weight * difference
  CHECK(m.gradient == std::vector<float>{0.5F, 0, 0.5F, 0.75F});
}

TEST_CASE("squared_error: uniform weights are one everywhere", "[objectives]") {
  const squared_error objective{};
  for (const noise_level level : {noise_level{1, 1e-4, 0}, {0.6, 0.8, 0}, {0, 1, 0}})
    CHECK(objective.weigh(level, 7.5) == 1);
}

TEST_CASE("squared_error: min_snr by hand", "[objectives]") {
  const squared_error objective{{.weighting = loss_weighting::min_snr, .gamma = 5}};
  const auto weigh = [&](const auto& prediction, const noise_level& level) {
    return objective.weigh(level, std::abs(prediction.fold(level).second));
  };
  // the paper's table, in terms of the signal-to-noise ratio S: min(S, 5) for x_0, min(S, 5) / S for the noise,
  // min(S, 5) / (S + 1) for the velocity
  for (const double snr : {1e-4, 0.5, 4.0, 5.0, 16.0, 1e4}) {
    const noise_level level{std::sqrt(snr / (1 + snr)), std::sqrt(1 / (1 + snr)), 0};
    INFO("snr " << snr);
    CHECK(weigh(predictions::clean{}, level) == Approx(std::min(snr, 5.0)).epsilon(1e-12));
    CHECK(weigh(predictions::epsilon{}, level) == Approx(std::min(snr, 5.0) / snr).epsilon(1e-12));
    CHECK(weigh(predictions::velocity{}, level) == Approx(std::min(snr, 5.0) / (snr + 1)).epsilon(1e-12));
  }
}

TEST_CASE("squared_error: soft_min_snr by hand", "[objectives]") {
  const squared_error objective{{.weighting = loss_weighting::soft_min_snr, .gamma = 10}};
  // of a variance-exploding level, for a network that gives the clean sample's error: 1 / (sigma² + 1 / gamma)
  for (const double sigma : {0.05, 0.3, 1.0, 20.0})
    CHECK(objective.weigh({1, sigma, 0}, 1) == Approx(1 / (sigma * sigma + 0.1)).epsilon(1e-12));
  CHECK(objective.weigh(clean_level, 1) == 10);
}

TEST_CASE("squared_error: min_snr at the ends is its limit", "[objectives]") {
  const squared_error objective{{.weighting = loss_weighting::min_snr}};
  const auto weigh = [&](const auto& prediction, const noise_level& level) {
    return objective.weigh(level, std::abs(prediction.fold(level).second));
  };
  const noise_level pure{0, 1, 0}, faint{1e-9, 1, 0}, loud{0, 3, 0}, almost_loud{1e-9, 3, 0};
  for (const auto& [end, near] : {std::pair{pure, faint}, std::pair{loud, almost_loud}}) {
    CHECK(weigh(predictions::epsilon{}, end) == Approx(weigh(predictions::epsilon{}, near)));
    CHECK(weigh(predictions::clean{}, end) == Approx(weigh(predictions::clean{}, near)).margin(1e-12));
    CHECK(weigh(predictions::velocity{}, end) == Approx(weigh(predictions::velocity{}, near)).margin(1e-12));
  }
  CHECK(weigh(predictions::clean{}, clean_level) == 5);
}

TEST_CASE("squared_error: refuses gamma out of range", "[objectives]") {
  CHECK_THROWS_WITH(squared_error({.gamma = 0}), "objectives::squared_error: gamma must be above 0, got 0");
  CHECK_THROWS_AS(squared_error({.gamma = std::nan("")}), invalid_argument);
}
