// SPDX-License-Identifier: Apache-2.0
#include "laws/prediction_laws.hpp"

using namespace anodiff;

TEMPLATE_LIST_TEST_CASE("predictions invert at any level", "[predictions][laws]", laws::all_predictions) {
  laws::check_policy<TestType>();
  const TestType prediction{};
  double worst = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    // alpha and sigma are drawn apart, so that most levels are not variance-preserving
    const noise_level level{std::pow(10, laws::uniform(1, 4 * i, -6, 0)),
                            std::pow(10, laws::uniform(1, 4 * i + 1, -6, 2)), 0};
    const double clean = laws::uniform(1, 4 * i + 2, -3, 3), noise = laws::uniform(1, 4 * i + 3, -3, 3);
    worst = std::max(worst, laws::inversion_error(prediction, level, clean, noise));
  }
  CHECK(worst < 8 * laws::ulp);
}

TEMPLATE_LIST_TEST_CASE("predictions invert at the ends", "[predictions][laws]", laws::all_predictions) {
  const TestType prediction{};
  if (TestType::name != "score") CHECK(laws::inversion_error(prediction, clean_level, 1.7, -0.3) < 4 * laws::ulp);
  CHECK(laws::inversion_error(prediction, {1, 80, 0}, 1.7, -0.3) < 4 * laws::ulp);  // variance-exploding
  if (!TestType::needs_signal) CHECK(laws::inversion_error(prediction, {0, 1, 0}, 1.7, -0.3) < 4 * laws::ulp);
}

TEST_CASE("targets and folds by hand", "[predictions]") {
  const noise_level level{0.8, 0.6, 0};
  const auto is = [](mixture m, double first, double second) {
    return std::abs(m.first - first) < 1e-15 && std::abs(m.second - second) < 1e-15;
  };
  CHECK(is(predictions::epsilon{}.target(level), 0, 1));
  CHECK(is(predictions::epsilon{}.fold(level), 1.25, -0.75));
  CHECK(is(predictions::clean{}.target(level), 1, 0));
  CHECK(is(predictions::clean{}.fold(level), 0, 1));
  CHECK(is(predictions::velocity{}.target(level), -0.6, 0.8));
  CHECK(is(predictions::velocity{}.fold(level), 0.8, -0.6));
  CHECK(is(predictions::velocity{}.fold({0, 1, 0}), 0, -1));
  CHECK(is(predictions::velocity{}.fold({1, 2, 0}), 0.2, -0.4));  // divided by 1 + 4
}

TEST_CASE("score, edm and flow by hand", "[predictions]") {
  const noise_level level{0.8, 0.6, 0};
  const auto is = [](mixture m, double first, double second) {
    return std::abs(m.first - first) < 1e-15 && std::abs(m.second - second) < 1e-15;
  };
  CHECK(is(predictions::score{}.target(level), 0, -1 / 0.6));
  CHECK(is(predictions::score{}.fold(level), 1.25, 0.45));
  CHECK(is(predictions::flow{}.target(level), -1, 1));
  CHECK(is(predictions::flow{}.fold({0.75, 0.25, 0}), 1, -0.25));
  CHECK(is(predictions::flow{}.fold({0, 1, 0}), 1, -1));
  CHECK(is(predictions::residual{}.target(level), 0, 0.6));
  CHECK(is(predictions::residual{}.fold(level), 1.25, -1.25));
  // sigma = 1.2, data 0.5: c_skip = 0.25 / 1.69, c_out = 0.6 / 1.3; the target has unit variance for data of that scale
  CHECK(is(predictions::edm{}.fold({1, 1.2, 0}), 0.25 / 1.69, 0.6 / 1.3));
  const mixture target = predictions::edm{}.target({1, 1.2, 0});
  CHECK(target.first * target.first * 0.25 + target.second * target.second == Approx(1).epsilon(1e-14));
  // so has the input, on any path
  CHECK(predictions::edm{}.input_scale({1, 1.2, 0}) == Approx(1 / 1.3));
  for (const noise_level l : {noise_level{1, 80, 0}, {0.8, 0.6, 0}, {0, 1, 0}})
    CHECK(std::hypot(l.alpha * 0.5, l.sigma) * predictions::edm{}.input_scale(l) == Approx(1).epsilon(1e-14));
  static_assert(scales_input<predictions::edm> && !scales_input<predictions::epsilon>);
  CHECK(is(predictions::edm{{.data_sd = 1}}.fold(level), 0.8, 0.6));  // velocity with the sign changed
  CHECK_THROWS_WITH(predictions::edm({.data_sd = 0}), "predictions::edm: data_sd must be above 0, got 0");
}

TEST_CASE("every prediction stands in the list", "[predictions][laws]") {
  laws::check_all_listed<laws::all_predictions>("predictions");
}
